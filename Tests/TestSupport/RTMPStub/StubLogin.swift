/// The challenge of a server that asks for a user and a password in the query of the application.
///
/// A client connects three times: without a query, with the name of its user, and with its response.
struct StubLogin {
    enum Method: String { case adobe, llnw }

    var method: Method
    var user: String
    var password: String

    // A real server makes new ones for each connection.
    private static let salt = "c2FsdA=="
    private static let challenge = "Y2hhbGxlbmdl"
    private static let opaque = "b3BhcXVl"
    private static let nonce = "bm9uY2U="

    /// Judges the application that a client asks for.
    ///
    /// - Returns: The description of the rejection; `nil` if the response is right.
    func rejection(of application: String) -> String? {
        let parts = application.split(separator: "?", maxSplits: 1).map(String.init)
        let query = Self.query(parts.count > 1 ? parts[1] : "")
        guard query["authmod"] == method.rawValue, let name = query["user"] else {
            return "[ AccessManager.Reject ] : [ code=403 need auth; authmod=\(method.rawValue) ] : "
        }
        let head = "[ AccessManager.Reject ] : [ authmod=\(method.rawValue) ] : "
        guard name == user else { return head + "?reason=nosuchuser" }
        guard let response = query["response"] else { return head + "?reason=needauth&user=\(user)&" + demand }
        return response == expected(query, application: parts[0]) ? nil : head + "?reason=authfailed"
    }

    private var demand: String {
        switch method {
        case .adobe: "salt=\(Self.salt)&challenge=\(Self.challenge)&opaque=\(Self.opaque)"
        case .llnw: "nonce=\(Self.nonce)"
        }
    }

    private func expected(_ query: [String: String], application: String) -> String {
        switch method {
        case .adobe:
            let secret = MD5.base64(user + Self.salt + password)
            return MD5.base64(secret + Self.opaque + (query["challenge"] ?? ""))
        case .llnw:
            let who = MD5.hexadecimal("\(user):live:\(password)")
            let instance = application.contains("/") ? application : application + "/_definst_"
            let what = MD5.hexadecimal("publish:/\(instance)")
            let count = query["nc"] ?? ""
            return MD5.hexadecimal("\(who):\(Self.nonce):\(count):\(query["cnonce"] ?? ""):auth:\(what)")
        }
    }

    private static func query(_ text: String) -> [String: String] {
        let pairs = text.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
        return Dictionary(pairs.map { ($0[0], $0.count > 1 ? $0[1] : "") }, uniquingKeysWith: { $1 })
    }
}
