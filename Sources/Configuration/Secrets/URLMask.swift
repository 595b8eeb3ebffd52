/// Hides what a URL may hold of secrets, for every text that a person or a log may see.
public enum URLMask {
    static let mask = "****"

    /// `url` without user and password, without what follows the application in an RTMP path,
    /// without the values of its query (but for a few harmless ones) and without a fragment.
    /// What is no URL becomes `****` as a whole: it may be a key in the wrong place.
    public static func mask(_ url: String) -> String {
        let text = url[...].unicodeScalars
        guard let colon = text.firstIndex(of: ":"), isScheme(text[..<colon]),
            text[colon...].starts(with: "://".unicodeScalars)
        else { return mask }
        let scheme = text[..<colon]
        let rest = text[text.index(colon, offsetBy: 3)...]
        let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        var authority = rest[..<authorityEnd]
        var masked = String(scheme) + "://"
        if let at = authority.lastIndex(of: "@") {
            masked += at == authority.startIndex ? "@" : mask + "@"
            authority = authority[authority.index(after: at)...]
        }
        // A password with a slash in it ends up as a "port": hide all of it.
        guard hasPlausiblePort(authority) else { return masked + mask }
        return masked + String(authority) + tail(rest[authorityEnd...], isRTMP: String(scheme).lowercased().hasPrefix("rtmp"))
    }

    private typealias Part = Substring.UnicodeScalarView

    private static func tail(_ text: Part, isRTMP: Bool) -> String {
        var path = text
        var fragment = "", query = ""
        if let hash = path.firstIndex(of: "#") {
            fragment = "#" + mask
            path = path[..<hash]
        }
        if let mark = path.firstIndex(of: "?") {
            query = "?" + path[path.index(after: mark)...]
                .split(separator: "&", omittingEmptySubsequences: false).map(pair).joined(separator: "&")
            path = path[..<mark]
        }
        return maskedPath(path, isRTMP: isRTMP) + query + fragment
    }

    private static func maskedPath(_ path: Part, isRTMP: Bool) -> String {
        guard !path.isEmpty else { return "" }
        if path.contains("@") { return "/" + mask }
        guard isRTMP else { return String(path) }
        let inside = path.dropFirst()
        guard let slash = inside.firstIndex(of: "/"), inside.index(after: slash) != inside.endIndex else {
            return String(path)
        }
        return "/" + String(inside[...slash]) + mask
    }

    private static let harmless: Set<String> = [
        "mode", "latency", "rcvlatency", "peerlatency", "tlpktdrop", "transtype", "pkt_size", "payload_size",
        "pbkeylen", "timeout", "listen_timeout", "connect_timeout", "maxbw", "oheadbw", "mss", "ffs", "ttl",
        "localaddr", "localport", "reuse", "fifo_size", "buffer_size", "overrun_nonfatal",
    ]

    private static func pair(_ text: Part) -> String {
        guard !text.isEmpty else { return "" }
        guard let equals = text.firstIndex(of: "=") else { return mask }
        let name = String(text[..<equals])
        let value = String(text[text.index(after: equals)...])
        guard !value.isEmpty, name.utf8.count <= 24, name.utf8.allSatisfy({ (97...122).contains($0) || $0 == 95 })
        else { return mask }
        let shown = harmless.contains(name) && value.utf8.count <= 40
        return name + "=" + (shown ? value : mask)
    }

    private static func isScheme(_ text: Part) -> Bool {
        guard let first = text.first, first.isASCII, first.properties.isAlphabetic, text.count <= 16 else { return false }
        return text.allSatisfy { $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "+.-".unicodeScalars.contains($0)) }
    }

    private static func hasPlausiblePort(_ authority: Part) -> Bool {
        if authority.last == "]" { return true }
        guard let colon = authority.lastIndex(of: ":") else { return true }
        return authority[authority.index(after: colon)...].allSatisfy { ("0"..."9").contains($0) }
    }
}
