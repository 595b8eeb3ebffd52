import FFmpeg
import Logging
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Supervision

/// A caller and the readers of its stream, without processes.
@Suite struct CallRelayTests {
    private final class Texts: Sendable {
        private let texts = Mutex<[String]>([])
        var all: [String] { texts.withLock { $0 } }
        /// - Returns: How many there are.
        func add(_ text: String) -> Int {
            texts.withLock { texts in
                texts.append(text)
                return texts.count
            }
        }
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let relay = CallRelay(logger: CallRelayTests.logger)
    private let end = ChildExit(status: .exited(0), asked: false, cause: .ended, log: LogExcerpt())

    @Test("a reader is replaced -> the caller stays, and the next reads the rest")
    func replaced() async throws {
        let texts = Texts()
        let (second, resume) = AsyncStream<Void>.makeStream()
        let exit = try await relay.run(
            call: { output, admit in
                _ = try? output.writeAll("one".utf8)
                admit()
                for await _ in second { break }
                _ = try? output.writeAll("two".utf8)
                try? output.close()
                return end
            },
            hangUp: { Issue.record("the caller is hung up on") },
            read: { handle, input in
                defer { try? input.close() }
                var bytes = [UInt8](repeating: 0, count: 3)
                let count = try bytes.withUnsafeMutableBytes { try input.read(into: $0) }
                let number = texts.add(String(decoding: bytes.prefix(count), as: UTF8.self))
                guard number == 1 else { return end }
                relay.replaceReader()
                await handle.untilAsked()
                resume.finish()
                return ChildExit(status: .signalled(9), asked: true, cause: nil, log: LogExcerpt())
            })
        #expect(exit == end && texts.all.prefix(2) == ["one", "two"])
    }

    @Test("a caller is not admitted -> nothing of it is read")
    func refused() async throws {
        let exit = try await relay.run(
            call: { output, _ in
                try? output.close()
                return end
            },
            hangUp: {},
            read: { _, _ in
                Issue.record("it is read")
                return end
            })
        #expect(exit == end)
    }

    @Test("no reader can read the stream -> the caller is disconnected")
    func unreadable() async throws {
        let (over, hangUp) = AsyncStream<Void>.makeStream()
        let reads = Texts()
        let relay = CallRelay(logger: Self.logger, pauses: Duration.milliseconds(1)...Duration.milliseconds(2))
        _ = try await relay.run(
            call: { output, admit in
                admit()
                for await _ in over { break }
                try? output.close()
                return end
            },
            hangUp: { hangUp.finish() },
            read: { _, input in
                try input.close()
                _ = reads.add("read")
                return ChildExit(status: .exited(1), asked: false, cause: .invalidData, log: LogExcerpt())
            })
        #expect(reads.all.count == 6)
    }
}
