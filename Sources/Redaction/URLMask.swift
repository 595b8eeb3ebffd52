/// Masks possible secrets in URLs, for every text that is shown or logged.
package enum URLMask {
    package static let mask = "****"

    /// `url` without user and password, without the path after its first part, without the values of its query (except
    /// a few harmless ones) and without a fragment. In an RTMP path the first part is the application and the rest a
    /// key. In other paths the rest often contains a token. A text that is not a URL becomes `****` as a whole: it may
    /// be a misplaced key.
    package static func mask(_ url: String) -> String {
        guard let parts = Parts(url[...].unicodeScalars) else { return mask }
        return parts.masked
    }

    /// `text` with every URL in it masked.
    package static func maskAll(in text: String) -> String {
        let scalars = text.unicodeScalars
        var result = String.UnicodeScalarView()
        var kept = scalars.startIndex
        var index = scalars.startIndex
        var hasChanged = false
        while let colon = scalars[index...].firstIndex(of: ":") {
            index = scalars.index(after: colon)
            guard scalars[colon...].starts(with: "://".unicodeScalars) else { continue }
            var start = colon
            while start > kept, isSchemeScalar(scalars[scalars.index(before: start)]) {
                start = scalars.index(before: start)
            }
            var end =
                scalars[colon...].firstIndex {
                    $0.value <= 0x20 || $0.value == 0x7F || "'\"<>|".unicodeScalars.contains($0)
                } ?? scalars.endIndex
            // Punctuation after an address in a sentence.
            while end > colon, ":,;.)]".unicodeScalars.contains(scalars[scalars.index(before: end)]),
                !isAddressEnd(scalars[start..<end])
            {
                end = scalars.index(before: end)
            }
            guard let masked = Parts(scalars[start..<end])?.masked else { continue }
            if !masked.unicodeScalars.elementsEqual(scalars[start..<end]) {
                result += scalars[kept..<start]
                result += masked.unicodeScalars
                kept = end
                hasChanged = true
            }
            index = max(index, end)
        }
        guard hasChanged else { return text }
        result += scalars[kept...]
        return String(result)
    }

    /// Whether ``mask(_:)`` hides the value of a parameter of a query.
    package static func hides(_ value: String, of name: String) -> Bool {
        pair("\(name)=\(value)"[...].unicodeScalars).secret != nil
    }

    /// The parts of a URL that ``mask(_:)`` hides, as written and percent-decoded. Empty if the text is not a URL.
    package static func secrets(in url: String) -> [String] {
        guard let parts = Parts(url[...].unicodeScalars) else { return [] }
        var found: [String] = []
        if let user = parts.userInfo {
            found.append(user)
            if let colon = user.firstIndex(of: ":") { found.append(String(user[user.index(after: colon)...])) }
        }
        // Passwords that contain a slash.
        if !parts.hasPlausiblePort { found.append(String(parts.rest)) }
        found += secrets(inKey: parts.key.map(String.init) ?? "")
        found += parts.queryPairs.flatMap { $0.secret.map { secrets(inKey: String($0)) } ?? [] }
        if let fragment = parts.fragment { found.append(String(fragment)) }
        return (found + found.map(percentDecoded)).filter { !$0.isEmpty }
    }

    /// A stream key and its parts, because a server may quote one of them. A part that is a plain word is left out.
    package static func secrets(inKey key: String) -> [String] {
        guard !key.isEmpty else { return [] }
        return [key]
            + key.split { "/?&=".contains($0) }.map(String.init).filter {
                $0 != key && $0.utf8.count >= 6 && !isPlainWord($0)
            }
    }

    /// Whether a text is a short word in small letters, as used in names and messages.
    package static func isPlainWord(_ text: String) -> Bool {
        text.utf8.count < 12 && text.utf8.allSatisfy { (97...122).contains($0) }
    }

    private typealias Part = Substring.UnicodeScalarView

    /// The parts of a URL. The parser is lenient, because a mistake in it may be a misplaced secret.
    private struct Parts {
        let scheme: Part
        let userInfo: String?
        let authority: Part
        /// From the first slash.
        let path: Part
        let query: Part?
        let fragment: Part?
        /// Everything after the scheme.
        let rest: Part

        init?(_ text: Part) {
            guard let colon = text.firstIndex(of: ":"), isScheme(text[..<colon]),
                text[colon...].starts(with: "://".unicodeScalars)
            else { return nil }
            scheme = text[..<colon]
            rest = text[text.index(colon, offsetBy: 3)...]
            let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
            let whole = rest[..<authorityEnd]
            if let at = whole.lastIndex(of: "@") {
                userInfo = String(whole[..<at])
                authority = whole[whole.index(after: at)...]
            } else {
                userInfo = nil
                authority = whole
            }
            var tail = rest[authorityEnd...]
            if let hash = tail.firstIndex(of: "#") {
                fragment = tail[tail.index(after: hash)...]
                tail = tail[..<hash]
            } else {
                fragment = nil
            }
            if let mark = tail.firstIndex(of: "?") {
                query = tail[tail.index(after: mark)...]
                tail = tail[..<mark]
            } else {
                query = nil
            }
            path = tail
        }

        var hasPlausiblePort: Bool {
            if authority.last == "]" { return true }
            guard let colon = authority.lastIndex(of: ":") else { return true }
            return authority[authority.index(after: colon)...].allSatisfy { ("0"..."9").contains($0) }
        }

        /// Where the hidden part of the path begins.
        private var keyStart: Part.Index? {
            guard !path.isEmpty else { return nil }
            let inside = path.dropFirst()
            if path.contains("@") { return inside.startIndex }
            guard let slash = inside.firstIndex(of: "/") else { return inside.contains("=") ? inside.startIndex : nil }
            if inside[..<slash].contains("=") { return inside.startIndex }
            let start = inside.index(after: slash)
            return start == inside.endIndex ? nil : start
        }

        var key: Part? { keyStart.map { path[$0...] } }

        var queryPairs: [(text: String, secret: Part?)] {
            guard let query else { return [] }
            return query.split(separator: "&", omittingEmptySubsequences: false).map(pair)
        }

        /// The result of ``URLMask/mask(_:)``.
        var masked: String {
            var masked = String(scheme) + "://"
            if let userInfo { masked += userInfo.isEmpty ? "@" : mask + "@" }
            // A password with a slash looks like a port: hide all of it.
            guard hasPlausiblePort else { return masked + mask }
            masked += String(authority)
            masked += keyStart.map { String(path[..<$0]) + mask } ?? String(path)
            if query != nil { masked += "?" + queryPairs.map(\.text).joined(separator: "&") }
            if fragment != nil { masked += "#" + mask }
            return masked
        }
    }

    private static let harmless: Set<String> = [
        "mode", "ipv6only", "latency", "rcvlatency", "peerlatency", "tlpktdrop", "transtype", "pkt_size",
        "payload_size",
        "pbkeylen", "timeout", "listen_timeout", "connect_timeout", "maxbw", "oheadbw", "mss", "ffs", "ttl",
        "localaddr", "localport", "reuse", "fifo_size", "buffer_size", "overrun_nonfatal", "tcp_nodelay", "rw_timeout",
        "listen", "recv_buffer_size",
        "send_buffer_size",
    ]

    private static func pair(_ text: Part) -> (text: String, secret: Part?) {
        guard !text.isEmpty else { return ("", nil) }
        guard let equals = text.firstIndex(of: "=") else { return (mask, text) }
        let name = String(text[..<equals])
        let value = text[text.index(after: equals)...]
        let isName =
            harmless.contains(name)
            || name.utf8.count <= 24 && name.utf8.allSatisfy { (97...122).contains($0) || $0 == 95 }
        guard !value.isEmpty, isName else { return (mask, text) }
        let isShown = harmless.contains(name) && String(value).utf8.count <= 40
        return (name + "=" + (isShown ? String(value) : mask), isShown ? nil : value)
    }

    private static func isSchemeScalar(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "+.-".unicodeScalars.contains(scalar))
    }

    /// Whether the closing bracket belongs to an IPv6 address.
    private static func isAddressEnd(_ text: Part) -> Bool {
        text.last == "]" && text.contains("[")
    }

    package static func percentDecoded(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.first {
            if byte == UInt8(ascii: "%"), rest.count >= 3,
                let value = UInt8(String(Substring(rest.dropFirst().prefix(2))), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Encodes all characters except those that a URL may have anywhere: letters, digits, `-`, `.`, `_` and `~`.
    package static func percentEncoded(_ text: String) -> String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8)
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if plain.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isScheme(_ text: Part) -> Bool {
        guard let first = text.first, first.isASCII, first.properties.isAlphabetic, text.count <= 16 else {
            return false
        }
        return text.allSatisfy(isSchemeScalar)
    }
}
