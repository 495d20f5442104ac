/// What an error means for the response.
struct Failure {
    let status: Int
    let headers: [(name: String, value: String)]

    init(_ error: any Error) {
        guard let error = error as? HTTPError else {
            status = 500
            headers = []
            return
        }
        status = (200...599).contains(error.status) ? error.status : 500
        headers = error.headers
    }
}

/// The page for an error (WEB-28). The reason is one of ours, never the client's text.
enum ErrorPage {
    static func write(_ status: Int, to call: Call) {
        if status == 204 || status == 304 || status == 205 { return }
        let line = "\(status): \(reasonPhrase(status))"
        call.setDefaultType("text/html; charset=UTF-8")
        try? call.write("<html><title>\(line)</title><body>\(line)</body></html>".utf8.span)
    }
}
