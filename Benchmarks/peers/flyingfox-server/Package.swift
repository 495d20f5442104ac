// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "flyingfox-server",
    platforms: [.macOS(.v14)],
    dependencies: [
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1")
    ],
    targets: [
        .executableTarget(
            name: "flyingfox-server",
            dependencies: [.product(name: "FlyingFox", package: "FlyingFox")]
        )
    ]
)
