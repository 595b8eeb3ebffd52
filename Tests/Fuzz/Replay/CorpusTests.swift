import Foundation
import Testing

/// Replays the inputs that fuzzing found, and its seeds, through every target.
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
        "an input of the corpus, whole, cut or changed -> no parser fails",
        arguments: FuzzTarget.all.map(\.name))
    func replay(_ name: String) async throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let inputs = try Self.inputs(of: target)
        #expect(!inputs.isEmpty, "there are no inputs for \(name)")
        for input in inputs {
            // Other tests run in between: this takes long under a sanitizer.
            await Task.yield()
            // A learnt input is a variant itself, so fewer variants of it are made.
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
