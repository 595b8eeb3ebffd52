/// Checks and compares the names and addresses of hosts.
enum HostName {
    /// Whether `text` is a valid host name or IPv4 address. It may contain letters, digits, `.`, `-` and `_`. A text of
    /// digits and dots only must be an IPv4 address.
    static func isValid(_ text: Substring) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253,
            text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0)) })
        else { return false }
        guard text.allSatisfy({ $0.isNumber || $0 == "." }) else { return true }
        let octets = text.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4
            && octets.allSatisfy { DecimalNotation.wholeNumber($0).map { $0 <= 255 } ?? false }
    }

    /// The form in which equal hosts are equal texts: lower case, `127.0.0.1` for `localhost`, and `::` for the IPv6
    /// address of all interfaces. Other spellings of an IPv6 address stay as they are.
    static func canonicalForm(of host: String) -> String {
        switch host.lowercased() {
        case "localhost": "127.0.0.1"
        case "::", "0:0:0:0:0:0:0:0", "::0": "::"
        case let other: other
        }
    }
}
