import Foundation
import Synchronization

/// The output of a program to one of its streams, in bounded memory: lines with their times, or bytes.
package final class Transcript: Sendable {
    package struct Line: Sendable {
        /// The index among all lines of the stream from 0, including discarded lines.
        package let index: Int
        package let text: String
        /// When the end of the line was read from the pipe.
        package let time: ContinuousClock.Instant
    }

    enum Kind: Sendable {
        case lines(keep: Int)
        case bytes(limit: Int)
    }

    private struct State {
        var lines: [Line] = []
        var count = 0
        var open: [UInt8] = []
        var bytes: [UInt8] = []
        var total = 0
    }

    private let kind: Kind
    private let state = Mutex(State())

    init(_ kind: Kind) { self.kind = kind }

    /// The kept lines, the newest 20,000.
    package var lines: [Line] { state.withLock(\.lines) }

    package var text: String { lines.map(\.text).joined(separator: "\n") }

    /// The bytes, if the stream is kept as bytes.
    package var bytes: [UInt8] { state.withLock(\.bytes) }

    /// The number of all bytes, kept or not.
    package var total: Int { state.withLock(\.total) }

    package func contains(_ text: String) -> Bool { lines.contains { $0.text.contains(text) } }

    /// Waits for the first line from `index` on that satisfies `isWanted`. Lines that have already come count.
    @discardableResult
    package func first(
        _ what: String, from index: Int = 0, within limit: Duration = .seconds(40),
        file: String = #fileID, line: Int = #line,
        where isWanted: (String) -> Bool
    ) async throws -> Line {
        var next = index
        do {
            return try await eventually(
                what, within: limit, every: .milliseconds(5), file: file, line: line
            ) {
                let fresh = state.withLock { $0.lines.drop { $0.index < next } }
                next = fresh.last.map { $0.index + 1 } ?? next
                return fresh.first { isWanted($0.text) }
            }
        } catch let error as WaitedInVain {
            throw WaitedInVain(
                what: error.what, limit: error.limit, place: error.place,
                seen: lines.last?.text ?? "no line at all")
        }
    }

    /// Waits for the first line that contains `text`.
    @discardableResult
    package func first(
        containing text: String, from index: Int = 0, within limit: Duration = .seconds(40),
        file: String = #fileID, line: Int = #line
    ) async throws -> Line {
        try await first(
            "a line with \"\(text)\"", from: index, within: limit, file: file, line: line
        ) { $0.contains(text) }
    }

    func append(_ chunk: UnsafeRawBufferPointer) {
        state.withLock { state in
            state.total += chunk.count
            switch kind {
            case .bytes(let limit):
                state.bytes.append(contentsOf: chunk.prefix(max(0, limit - state.bytes.count)))
            case .lines(let keep):
                for byte in chunk {
                    // FFmpeg ends its status lines with a carriage return.
                    if byte == 10 || byte == 13 || state.open.count >= 65_536 {
                        close(&state, keep: keep)
                    }
                    if byte != 10 && byte != 13 { state.open.append(byte) }
                }
            }
        }
    }

    func finish() {
        state.withLock { state in
            if case .lines(let keep) = kind { close(&state, keep: keep) }
        }
    }

    private func close(_ state: inout State, keep: Int) {
        guard !state.open.isEmpty else { return }
        state.lines.append(
            Line(
                index: state.count, text: String(decoding: state.open, as: UTF8.self), time: .now))
        state.count += 1
        state.open.removeAll(keepingCapacity: true)
        if state.lines.count > keep + keep / 4 { state.lines.removeFirst(state.lines.count - keep) }
    }
}
