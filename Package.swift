// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "gale",
    products: [
        .library(name: "Gale", targets: ["Gale"]),
        .library(name: "GaleTemplate", targets: ["GaleTemplate"]),
        .library(name: "GaleTesting", targets: ["GaleTesting"]),
        .library(name: "GaleRedis", targets: ["GaleRedis"]),
        .executable(name: "chat", targets: ["chat"]),
        .executable(name: "echo", targets: ["echo"]),
    ],
    traits: [
        .trait(name: "Zlib", description: "The content codings gzip and deflate, by zlib"),
        .trait(name: "Brotli", description: "The content coding br, by libbrotli"),
        .trait(name: "Zstd", description: "The content coding zstd, by libzstd"),
        .default(enabledTraits: ["Zlib"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0")
    ],
    targets: [
        // The C core. CSupport/include is a link to include/, which holds the one public header.
        .systemLibrary(
            name: "CLibuv", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]),
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(
            name: "CGale",
            dependencies: ["CLibuv", .target(name: "CZlib", condition: .when(traits: ["Zlib"]))],
            path: "CSupport",
            cSettings: [
                .headerSearchPath("core"),
                .define("GALE_WITH_ZLIB", .when(traits: ["Zlib"])),
                .define("GALE_WITH_BROTLI", .when(traits: ["Brotli"])),
                .define("GALE_WITH_ZSTD", .when(traits: ["Zstd"])),
            ],
            linkerSettings: [
                .linkedLibrary("brotlienc", .when(traits: ["Brotli"])),
                .linkedLibrary("brotlidec", .when(traits: ["Brotli"])),
                .linkedLibrary("zstd", .when(traits: ["Zstd"])),
            ]),

        // Swift over gale.h: GaleCore is the only place with unsafe code.
        .target(name: "GaleCore", dependencies: ["CGale"], swiftSettings: swiftSettings),
        .target(name: "GaleTemplate", swiftSettings: swiftSettings),
        .target(
            name: "Gale",
            dependencies: ["GaleCore", "GaleTemplate", .product(name: "Logging", package: "swift-log")],
            swiftSettings: swiftSettings),
        .target(name: "GaleTesting", dependencies: ["Gale", "GaleCore"], swiftSettings: swiftSettings),

        // Redis. hiredis is linked by name: its pkg-config file has a flag that SwiftPM warns of.
        .target(name: "CGaleRedis", dependencies: ["CLibuv"], linkerSettings: [.linkedLibrary("hiredis")]),
        .target(
            name: "GaleRedis",
            dependencies: ["Gale", "GaleCore", "CGaleRedis", .product(name: "Logging", package: "swift-log")],
            swiftSettings: swiftSettings),

        .executableTarget(
            name: "chat",
            dependencies: ["Gale", "GaleRedis", .product(name: "Logging", package: "swift-log")],
            path: "examples/chat",
            exclude: ["templates", "static"], swiftSettings: swiftSettings),
        .executableTarget(name: "echo", dependencies: ["Gale"], path: "examples/echo", swiftSettings: swiftSettings),

        .testTarget(
            name: "GaleTemplateTests", dependencies: ["GaleTemplate"], exclude: ["Fixtures"],
            swiftSettings: swiftSettings),
        // Counts allocations by standing before malloc: for tests alone.
        .target(name: "CAllocations", path: "Tests/CAllocations"),
        .testTarget(
            name: "GaleTests", dependencies: ["Gale", "GaleCore", "GaleTesting", "CAllocations"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "GaleRedisTests", dependencies: ["GaleRedis", "CGaleRedis", "Gale", "GaleCore", "GaleTesting"],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu11
)
