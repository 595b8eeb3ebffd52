import Foundation
import TestSupport

/// Requests one path again and again; each connection sends its next request as soon as it has its answer.
struct HTTPLoad: Sendable {
    let port: Int
    let path: String
    let connections: Int

    struct Answers: Sendable {
        var count = 0
        var bytes = 0
        var seconds = 0.0
    }

    /// - Throws: `Failed` if an answer is incomplete or its status is not 200.
    func run(for seconds: Double) async throws -> Answers {
        let start = ContinuousClock.now
        let parts = try await withThrowingTaskGroup(of: Answers.self) { tasks in
            for _ in 0..<connections {
                tasks.addTask {
                    try await withCheckedThrowingContinuation { continuation in
                        Thread { continuation.resume(with: Result { try ask(until: start + .seconds(seconds)) }) }
                            .start()
                    }
                }
            }
            return try await tasks.reduce(into: [Answers]()) { $0.append($1) }
        }
        var all = Answers(seconds: (ContinuousClock.now - start).inSeconds)
        for part in parts {
            all.count += part.count
            all.bytes += part.bytes
        }
        return all
    }

    private func ask(until end: ContinuousClock.Instant) throws -> Answers {
        let connection = try connect(port: port)
        defer { close(connection) }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
        var answers = Answers()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while ContinuousClock.now < end {
            guard send(connection, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
                throw Failed("GET \(path): not sent")
            }
            var held = 0
            var whole = Int.max
            while held < whole {
                let count = buffer.withUnsafeMutableBytes {
                    recv(connection, $0.baseAddress! + held, $0.count - held, 0)
                }
                guard count > 0 else { throw Failed("GET \(path): the connection ended") }
                held += count
                if whole == .max { whole = try length(of: buffer[..<held]) ?? .max }
            }
            answers.count += 1
            answers.bytes += whole
        }
        return answers
    }

    /// Returns the bytes of the answer with its header, or `nil` while the header is not complete.
    private func length(of bytes: ArraySlice<UInt8>) throws -> Int? {
        let head = String(decoding: bytes.prefix(1024), as: UTF8.self)
        guard let end = head.range(of: "\r\n\r\n") else { return nil }
        guard head.hasPrefix("HTTP/1.1 200 "),
            let size = head.firstMatch(of: #/(?i)content-length: (\d+)/#).flatMap({ Int($0.1) })
        else {
            throw Failed("GET \(path): \(head.prefix(80))")
        }
        return head.utf8.distance(from: head.startIndex, to: end.upperBound) + size
    }
}
