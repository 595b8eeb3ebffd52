import Foundation
import Testing

/// What fuzzing found once, and what it begins with, goes through every target again.
@Suite struct CorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "corpus")

    private static func inputs(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let files =
            (try? FileManager.default.contentsOfDirectory(
                at: folder.appending(path: target.name), includingPropertiesForKeys: nil)) ?? []
        return try target.seeds.enumerated().map { ("seed \($0)", $1) }
            + files.map { ($0.lastPathComponent, Array(try Data(contentsOf: $0))) }
    }

    @Test(
        "nothing that a peer, a child or a file may hold makes a parser fail, whole, cut short or with a byte changed",
        arguments: FuzzTarget.all.map(\.name))
    func replay(_ name: String) async throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let inputs = try Self.inputs(of: target)
        #expect(!inputs.isEmpty, "there is nothing to begin with for \(name)")
        for input in inputs {
            // Others want their turn: this takes long under a sanitizer.
            await Task.yield()
            // What was learnt is a variant itself.
            let step = max(1, input.bytes.count / (input.name.hasPrefix("learnt") ? 4 : 64))
            var variants = [input.bytes]
            for end in stride(from: 0, to: input.bytes.count, by: step) {
                variants.append(Array(input.bytes[..<end]))
                var changed = input.bytes
                changed[end] ^= UInt8(truncatingIfNeeded: 1 << (end & 7)) | 0x80
                variants.append(changed)
            }
            for bytes in variants {
                do {
                    try bytes.withUnsafeBytes { try target.run($0) }
                } catch {
                    Issue.record(
                        """
                        \(name), \(input.name), as \(bytes.count) bytes: \
                        \(error)\n\(Data(bytes).base64EncodedString())
                        """
                    )
                }
            }
        }
    }
}
