/// The parts of a URL that the checks need.
struct URLParts {
    /// In lower case.
    let scheme: String
    let hasUserInfo: Bool
    let hasPassword: Bool
    /// Without the brackets of an IPv6 address; may be empty.
    let host: String
    let port: Int?
    /// From the first slash, without query and fragment.
    let path: String
    let query: [(name: String, value: String)]

    /// - Throws: A sentence without its subject, which never quotes the URL.
    init(_ text: String) throws(NotationError) {
        guard let separator = text.firstRange(of: "://"), separator.lowerBound != text.startIndex else {
            throw NotationError("has no scheme; write for instance rtmp://host/app or srt://host:9000")
        }
        guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F }) else {
            throw NotationError("holds a space or a control character")
        }
        scheme = text[..<separator.lowerBound].lowercased()
        let rest = text[separator.upperBound...]
        let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        var authority = rest[..<authorityEnd]
        if let at = authority.lastIndex(of: "@") {
            hasUserInfo = at != authority.startIndex
            let colon = authority[..<at].firstIndex(of: ":")
            hasPassword = colon.map { authority.index(after: $0) != at } ?? false
            authority = authority[authority.index(after: at)...]
        } else {
            (hasUserInfo, hasPassword) = (false, false)
        }
        (host, port) = try Self.hostAndPort(authority)

        var tail = rest[authorityEnd...]
        // An SRT stream id may hold a bare "#": the text after it still belongs to the query.
        var queryText: Substring = ""
        if let mark = tail.firstIndex(of: "?") {
            queryText = tail[tail.index(after: mark)...]
            tail = tail[..<mark]
        }
        path = String(tail.prefix { $0 != "#" })
        query = queryText.split(separator: "&").map { part in
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (pair[0].lowercased(), pair.count == 2 ? String(pair[1]) : "")
        }
    }

    func value(of name: String) -> String? { query.first { $0.name == name }?.value }

    /// The parts of the path between slashes, without empty ones.
    var segments: [Substring] { path.split(separator: "/") }

    private static func hostAndPort(_ authority: Substring) throws(NotationError) -> (String, Int?) {
        var host = authority
        var port: Int?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else {
                throw NotationError("has an IPv6 address without its closing bracket")
            }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let after = authority[authority.index(after: end)...]
            guard after.isEmpty || after.first == ":" else {
                throw NotationError("has text that is not a port after its IPv6 address")
            }
            if !after.isEmpty { port = try portNumber(after.dropFirst()) }
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || ":.%".contains($0) }) else {
                throw NotationError("has no IPv6 address between its brackets")
            }
            return (String(host), port)
        }
        if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            port = try portNumber(authority[authority.index(after: colon)...])
        }
        guard host.isEmpty || HostName.isValid(host) else {
            throw NotationError(
                host.contains(":") ? "has an IPv6 address without brackets; write [address]:port" : "has no valid host")
        }
        return (String(host), port)
    }

    private static func portNumber(_ text: Substring) throws(NotationError) -> Int {
        guard let port = DecimalNotation.digits(text), (1...65535).contains(port) else {
            throw NotationError("has no valid port; allowed: 1 to 65535")
        }
        return port
    }
}
