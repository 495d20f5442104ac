internal import GaleCore
public import GaleTemplate
public import Logging

/// The base of handler classes: one object a request, with Tornado's life (WEB-01).
///
/// `prepare`, then the method's function, then `onFinish`. What is written is sent when the function returns, with
/// Content-Length. Everything runs in one task on the connection's loop; a client that leaves cancels it.
open class RequestHandler {
    @exclusivity(unchecked) private final var current: Call?
    /// The request it handles; nil before there is one.
    final var call: Call? {
        get { current ?? recalled() }
        set { current = newValue }
    }

    /// Made for each request. Before the framework calls it there is no request.
    public required init() {}

    // MARK: For subclasses

    /// Before the method's function; if it finishes the response, that is not called.
    open func prepare() async throws {}
    /// GET. Like all of them it answers 405 unless overridden.
    open func get() async throws { throw notAllowed() }
    /// HEAD: as GET, without the body (WEB-04).
    open func head() async throws { try await get() }
    /// POST.
    open func post() async throws { throw notAllowed() }
    /// PUT.
    open func put() async throws { throw notAllowed() }
    /// PATCH.
    open func patch() async throws { throw notAllowed() }
    /// DELETE.
    open func delete() async throws { throw notAllowed() }
    /// OPTIONS.
    open func options() async throws { throw notAllowed() }
    /// After the response: once, whatever happened.
    open func onFinish() {}
    /// The client has left while the handler was at work, whose task is cancelled too (WEB-06).
    open func onConnectionClose() {}
    /// Writes the page for an error; status and error fields are set (WEB-28).
    open func writeError(status: Int, error: any Error) async throws {
        guard let call else { return }
        ErrorPage.write(status, to: call)
    }
    /// Who is asking; nil: nobody who is known. Called at most once a request, by `currentUser` (WEB-31).
    open func loadCurrentUser() async throws -> String? { nil }
    /// Names that every template of this handler sees beside those given to `render` (TPL-21).
    open func templateValues() -> [String: TemplateValue] { [:] }
    /// A class that overrides it with true gets the body piece by piece, by `dataReceived` (WEB-37).
    open class var streamsBody: Bool { false }
    /// A class that overrides it with true gets forms as they come, files beyond `Settings.forms.memoryBytes` on disk:
    /// after `prepare`, before the method's function. `maxBody` of the route says how large they may be (HU-18). The
    /// XSRF token is looked for when the form is there. Other bodies are collected.
    open class var receivesForm: Bool { false }
    /// A piece of the body, after `prepare`. Awaiting holds the client back.
    open func dataReceived(_ chunk: [UInt8]) async throws {}

    // MARK: The request

    /// The request.
    public final var request: Request { Request(call) }
    /// The application this runs in; nil before the framework calls the handler.
    public final var application: Application? { current?.application ?? keptApplication }
    /// The application's settings.
    public final var settings: Settings { application?.settings ?? Settings() }
    /// The application's logger.
    public final var logger: Logger { settings.logger }

    /// Who is asking, loaded once.
    public final func currentUser() async throws -> String? {
        guard let call else { return nil }
        if let known = call.extrasIfAny?.user { return known }
        let user = try await loadCurrentUser()
        call.extras.user = .some(user)
        return user
    }

    /// Who is asking. The anonymous are sent to `Settings.loginURL` for GET and HEAD, else answered with 403 (DEC-03).
    public final func requireUser() async throws -> String {
        if let user = try await currentUser() { return user }
        guard let call, call.method == .get || call.method == .head, let login = settings.loginURL else {
            throw HTTPError(403)
        }
        let next = PercentCoding.encode(SafeNext.check(request.target) ?? "/", slash: true)
        try redirect(login.contains("?") ? login : "\(login)?next=\(next)")
        throw Finish()
    }

    /// A value that the route captured. Throws 404 when it has another form.
    public final func pathParameter<T: PathValue>(_ name: String, as type: T.Type = T.self) throws -> T {
        guard let text = try call?.capture(named: name) else {
            throw HTTPError(500, "the route captures no {\(name)}")
        }
        guard let value = T(pathText: text) else { throw HTTPError(404) }
        return value
    }

    // MARK: The life

    @inline(__always)
    final func live(_ call: Call, preparing hasPrepare: Bool) async {
        do {
            let hasXSRF = call.application.settings.xsrfCookies
            if hasXSRF && !call.awaitsForm { try checkXSRF() }
            if hasPrepare { try await prepare() }
            if !call.isFinished {
                if let body = call.extrasIfAny?.body {
                    while let chunk = try await body.next(call) { try await dataReceived(chunk) }
                }
                if call.awaitsForm {
                    try await call.receiveForm()
                    if hasXSRF { try checkXSRF() }
                }
                if call.isFinished {
                } else if call.method == .get && !isSocket {
                    // Spared a call: each costs two looks at the task's executor.
                    try await get()
                } else {
                    try await runMethod(call.method)
                }
            }
            if !call.isFinished { try finish() }
        } catch {
            await failed(error, call)
        }
        onFinish()
    }

    /// Whether `runMethod` is the handshake of a WebSocket.
    var isSocket: Bool { false }
    /// The call of a socket's handshake, made anew when it is asked for: an idle socket has none.
    func recalled() -> Call? { nil }
    /// The application of a socket's handshake.
    var keptApplication: Application? { nil }

    func runMethod(_ method: Method) async throws {
        switch method {
        case .get: try await get()
        case .head: try await head()
        case .post: try await post()
        case .put: try await put()
        case .patch: try await patch()
        case .delete: try await delete()
        case .options: try await options()
        case .other: throw notAllowed()
        }
    }

    private func failed(_ error: any Error, _ call: Call) async {
        if !call.isOpen || call.isStreaming || call.hasBegun || error is Finish { return call.fail(error) }
        ErrorLog.write(call, error)
        let failure = Failure(error)
        call.clear()
        call.apply(failure)
        do {
            try await writeError(status: failure.status, error: error)
            if !call.isFinished { try finish() }
        } catch {
            call.fail(error)
        }
    }

    private func notAllowed() -> HTTPError {
        HTTPError(405, headers: [("Allow", type(of: self).implementedMethods.allow)])
    }

    /// The methods that the class overrides (WEB-03).
    class var implementedMethods: MethodSet { ImplementedMethods.of(self) }
}
