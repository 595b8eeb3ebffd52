/// Replaces secrets in text before it leaves the module.
///
/// Known values are replaced wherever they stand, as written and percent-encoded; passwords in addresses are replaced
/// whether known or not. Values under four bytes are left alone: replacing them would make the text unreadable and
/// tell the value by its gaps.
public struct Redactor: Sendable {
    private let needles: [[UInt8]]

    static let mark = "***"

    public init(secrets: [String] = []) {
        var needles = Set<[UInt8]>()
        for secret in secrets {
            for form in [secret, Self.percentEncoded(secret)] where form.utf8.count >= 4 {
                needles.insert(Array(form.utf8))
            }
        }
        // The longest first: one secret may begin with another.
        self.needles = needles.sorted { $0.count != $1.count ? $0.count > $1.count : $0.lexicographicallyPrecedes($1) }
    }

    /// The text without secrets. Cost: text length × number of secrets; lines are bounded before they get here.
    public func redacted(_ text: String) -> String {
        var bytes = Array(text.utf8)
        for needle in needles { Self.replace(needle, in: &bytes) }
        return Self.maskingCredentials(String(decoding: bytes, as: UTF8.self))
    }

    /// A redactor that knows these values as well.
    func adding(_ secrets: [String]) -> Redactor {
        var other = Redactor(secrets: secrets)
        other = Redactor(merging: needles + other.needles)
        return other
    }

    private init(merging needles: [[UInt8]]) {
        self.needles = Set(needles).sorted {
            $0.count != $1.count ? $0.count > $1.count : $0.lexicographicallyPrecedes($1)
        }
    }

    /// `rtsp://user:password@host` → `rtsp://***@host`.
    static func maskingCredentials(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        var changed = false
        let separator = Array("://".utf8)
        while index < bytes.count {
            guard bytes[index] == separator[0], bytes[index...].starts(with: separator) else {
                result.append(bytes[index])
                index += 1
                continue
            }
            result += separator
            index += separator.count
            // The host ends at the first of these; a password may hold an @ of its own, so the last one counts.
            let end = bytes[index...].firstIndex { b in
                b == UInt8(ascii: "/") || b == UInt8(ascii: "?") || b <= 0x20
                    || b == UInt8(ascii: "'") || b == UInt8(ascii: "\"")
            } ?? bytes.count
            if let at = bytes[index..<end].lastIndex(of: UInt8(ascii: "@")) {
                result += Array(mark.utf8)
                index = at
                changed = true
            }
        }
        return changed ? String(decoding: result, as: UTF8.self) : text
    }

    private static func replace(_ needle: [UInt8], in bytes: inout [UInt8]) {
        guard bytes.count >= needle.count else { return }
        var result: [UInt8] = []
        var index = 0
        var kept = 0
        while index + needle.count <= bytes.count {
            if bytes[index] == needle[0], bytes[index..<index + needle.count].elementsEqual(needle) {
                result += bytes[kept..<index]
                result += Array(mark.utf8)
                index += needle.count
                kept = index
            } else {
                index += 1
            }
        }
        guard kept > 0 else { return }
        result += bytes[kept...]
        bytes = result
    }

    private static func percentEncoded(_ text: String) -> String {
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
}
