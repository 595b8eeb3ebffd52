import Redaction

/// The parts of a media address that the command lines need. FFmpeg parses addresses less strictly than any standard.
struct MediaAddress {
    var scheme: String
    /// `user:password`, without the `@`.
    var userInfo: String?
    /// Host and port as written.
    var authority: String
    /// The path, without its leading slash and without the query.
    var path: String
    /// The query, without the `?`. `nil` if there is none.
    var query: String?

    init(_ text: String) throws(CommandError) {
        guard let mark = Self.firstRange(of: "://", in: text), mark.lowerBound != text.startIndex else {
            throw .badAddress(text, reason: "the protocol is missing: write an address such as srt://host:9000")
        }
        scheme = text[..<mark.lowerBound].lowercased()
        let rest = text[mark.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        var authority = rest[..<end]
        if let at = authority.lastIndex(of: "@") {
            userInfo = String(authority[..<at])
            authority = authority[authority.index(after: at)...]
        }
        self.authority = String(authority)
        var tail = rest[end...]
        if let mark = tail.firstIndex(of: "?") {
            query = String(tail[tail.index(after: mark)...])
            tail = tail[..<mark]
        }
        path = String(tail.dropFirst())
    }

    /// Whether the address names an HLS or DASH playlist. FFmpeg opens the addresses that a playlist contains.
    var isPlaylist: Bool { [".m3u8", ".mpd"].contains { path.lowercased().hasSuffix($0) } }

    /// The password in the address. `nil` if there is none, or only a user name.
    var password: String? {
        guard let userInfo, let colon = userInfo.firstIndex(of: ":") else { return nil }
        let password = userInfo[userInfo.index(after: colon)...]
        return password.isEmpty ? nil : String(password)
    }

    /// Adds `password` to the user of the address.
    mutating func setPassword(_ password: String) throws(CommandError) {
        // The longest `user:password` that FFmpeg 5.1 reads from an address. It truncates a longer one.
        let limit: Int
        switch scheme {
        case "rtsp", "rtsps": limit = 127
        case "http", "https": limit = 1023
        default: throw .badAddress(text, reason: "a password is only for rtsp and http addresses: remove it")
        }
        guard let user = userInfo?.prefix(while: { $0 != ":" }), !user.isEmpty else {
            throw .badAddress(text, reason: "a password needs a user, as in \(scheme)://user@host")
        }
        guard !password.isEmpty else { throw .emptySecret(option: "password") }
        guard password.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .controlCharacter(option: "password")
        }
        let both = user + ":" + URLMask.percentEncoded(password)
        guard both.utf8.count <= limit else {
            throw .badAddress(
                text,
                reason:
                    """
                    FFmpeg reads \(limit) bytes of user and password, and these are longer: use a shorter password. \
                    A character other than a letter, digit, '-', '.', '_' or '~' counts as three bytes
                    """
            )
        }
        userInfo = String(both)
    }

    var text: String {
        scheme + "://" + (userInfo.map { $0 + "@" } ?? "") + authority + (path.isEmpty ? "" : "/" + path)
            + (query.map { "?" + $0 } ?? "")
    }

    /// Removes a parameter from the query and returns its value, percent-decoded.
    mutating func takeParameter(_ name: String) -> String? {
        guard let query else { return nil }
        var found: String?
        let kept = query.split(separator: "&").filter { field in
            guard field.hasPrefix(name + "=") else { return true }
            found = URLMask.percentDecoded(String(field.dropFirst(name.count + 1)))
            return false
        }
        self.query = kept.isEmpty ? nil : kept.joined(separator: "&")
        return found
    }

    /// The parameters of the query, as written.
    var parameters: [(name: String, value: String)] {
        (query ?? "").split(separator: "&").map { field in
            let name = field.prefix { $0 != "=" }
            return (String(name), String(field.dropFirst(name.count + 1)))
        }
    }

    mutating func addParameters(_ parameters: [String]) {
        guard !parameters.isEmpty else { return }
        query = ((query.map { [$0] } ?? []) + parameters).joined(separator: "&")
    }

    private static func firstRange(of needle: String, in text: String) -> Range<String.Index>? {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index...].hasPrefix(needle) {
                return index..<text.index(index, offsetBy: needle.count)
            }
            index = text.index(after: index)
        }
        return nil
    }
}
