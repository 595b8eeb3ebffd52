import Foundation
import Testing

@testable import BoxConfiguration

/// streambox.yaml(5) and the reader have the same keys.
@Suite struct ManualTests {
    @Test("the manual page has exactly the keys of the reader")
    func keys() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appending(path: "packaging/man/streambox.yaml.5")
        let text = try String(contentsOf: page, encoding: .utf8).replacing("\\-", with: "-")
        // Bold words that are alone on their line or first in it, and adjacent bold words of a heading.
        var written = Set(text.matches(of: /(?m)^\.BR? "?([a-z]+)"?(?: |$)/).map { String($0.1) })
        written.formUnion(text.matches(of: /\\fR, \\fB([a-z]+)/).map { String($0.1) })
        written.formUnion(text.matches(of: /(?m)^\.B ([a-z]+)\\fR/).map { String($0.1) })
        let keys = try Self.keys()
        #expect(keys.count > 40)
        for key in keys.sorted() { #expect(written.contains(key), "\(key) is not in the page") }
        // Entries are keys. A bold word in the text of a key may be one of its values.
        let entries = text.matches(of: /(?m)^\.TP\n\.B ([a-z]+)/).map { String($0.1) }
        for entry in entries { #expect(keys.contains(entry) || entry == "true", "\(entry) is no key") }
    }

    /// Every key of every mapping, taken from the error about an unknown key.
    private static func keys() throws -> Set<String> {
        let mappings =
            [
                "zz: 1", "status: { zz: 1 }", "encoders: { zz: 1 }", "channels: [ { zz: 1 } ]",
                "channels: [ { slate: { zz: 1 } } ]",
                "channels: [ { mezzanine: { zz: 1 } } ]", "channels: [ { sources: [ { zz: 1 } ] } ]",
                "channels: [ { groups: [ { zz: 1 } ] } ]", "channels: [ { groups: [ { video: { zz: 1 } } ] } ]",
                "channels: [ { groups: [ { audio: { zz: 1 } } ] } ]",
                "channels: [ { groups: [ { targets: [ { zz: 1 } ] } ] } ]",
                "channels: [ { groups: [ { targets: [ { name: a, record: { zz: 1 } } ] } ] } ]",
            ] + SourceKind.names.map { "channels: [ { sources: [ { \($0): { zz: 1 } } ] } ]" }
        var keys: Set = ["file", "credential", "env"]
        for text in mappings {
            do {
                _ = try parse(text)
                Issue.record("an unknown key is taken: \(text)")
            } catch {
                let lists = "\(error)".matches(of: /unknown key 'zz'.*allowed: ([a-z, ]+)/)
                #expect(lists.count == 1, "\(text): \(error)")
                for list in lists { keys.formUnion(list.1.split(separator: ", ").map(String.init)) }
            }
        }
        return keys
    }
}
