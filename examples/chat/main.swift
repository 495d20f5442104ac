// The chat: everything Gale is for, in one small program. `make chat` runs it; see Room.swift for how it works.
import Foundation
import Gale

var settings = Settings()
settings.cookieSecret = Secret.load()
settings.xsrfCookies = true
settings.loginURL = "/login"
settings.templates = templates
settings.staticPath = files + "/static"
settings.server.workers = options.workers
settings.server.shutdownGrace = .seconds(5)
settings.services = options.relay.services
settings.onStop.append { rooms.stop() }

let app = Application(settings: settings) {
    Route("/", RoomPage.self)
    Route("/login", LoginPage.self)
    Route("/logout", Logout.self)
    Route("/a/message/new", NewMessage.self)
    Route("/a/message/updates", Updates.self)
    Route("/chatsocket", ChatSocket.self)
    StaticFiles("/static/", root: files + "/static")
}
Task { await rooms.watchPeople() }
await app.main(port: options.port, host: options.host)
