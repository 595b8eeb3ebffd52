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

    /// - Throws: An error whose message begins with a verb, such as `has no scheme`, and never quotes the URL.
    init(_ text: String) throws(ParseError) {
        guard let separator = text.firstRange(of: "://"), separator.lowerBound != text.startIndex else {
            throw ParseError("has no scheme; write for instance rtmp://host/app or srt://host:9000")
        }
        guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F }) else {
            throw ParseError("holds a space or a control character")
        }
        scheme = text[..<separator.lowerBound].lowercased()
        let afterScheme = text[separator.upperBound...]
        let authorityEnd = afterScheme.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? afterScheme.endIndex
        var authority = afterScheme[..<authorityEnd]
        if let atSign = authority.lastIndex(of: "@") {
            hasUserInfo = atSign != authority.startIndex
            let colon = authority[..<atSign].firstIndex(of: ":")
            hasPassword = colon.map { authority.index(after: $0) != atSign } ?? false
            authority = authority[authority.index(after: atSign)...]
        } else {
            (hasUserInfo, hasPassword) = (false, false)
        }
        (host, port) = try Self.hostAndPort(authority)

        var pathText = afterScheme[authorityEnd...]
        // An SRT stream id may contain an unescaped "#", so the query includes the text after a "#".
        var queryText: Substring = ""
        if let questionMark = pathText.firstIndex(of: "?") {
            queryText = pathText[pathText.index(after: questionMark)...]
            pathText = pathText[..<questionMark]
        }
        path = String(pathText.prefix { $0 != "#" })
        query = queryText.split(separator: "&").map { part in
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (pair[0].lowercased(), pair.count == 2 ? String(pair[1]) : "")
        }
    }

    func value(of name: String) -> String? { query.first { $0.name == name }?.value }

    /// The parts of the path between slashes, without empty ones.
    var segments: [Substring] { path.split(separator: "/") }

    private static func hostAndPort(_ authority: Substring) throws(ParseError) -> (String, Int?) {
        var host = authority
        var port: Int?
        if authority.first == "[" {
            guard let closingBracket = authority.firstIndex(of: "]") else {
                throw ParseError("has an IPv6 address without its closing bracket")
            }
            host = authority[authority.index(after: authority.startIndex)..<closingBracket]
            let afterBracket = authority[authority.index(after: closingBracket)...]
            guard afterBracket.isEmpty || afterBracket.first == ":" else {
                throw ParseError("has text that is not a port after its IPv6 address")
            }
            if !afterBracket.isEmpty { port = try portNumber(afterBracket.dropFirst()) }
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || ":.%".contains($0) }) else {
                throw ParseError("has no IPv6 address between its brackets")
            }
            return (String(host), port)
        }
        if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            port = try portNumber(authority[authority.index(after: colon)...])
        }
        guard host.isEmpty || HostName.isValid(host) else {
            throw ParseError(
                host.contains(":") ? "has an IPv6 address without brackets; write [address]:port" : "has no valid host")
        }
        return (String(host), port)
    }

    private static func portNumber(_ text: Substring) throws(ParseError) -> Int {
        guard let port = DecimalNotation.wholeNumber(text), (1...65535).contains(port) else {
            throw ParseError("has no valid port; allowed: 1 to 65535")
        }
        return port
    }
}
