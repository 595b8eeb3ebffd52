import Foundation
import TestSupport

extension NginxRTMP {
    /// Waits until nginx has recorded so many frames of a stream.
    func waitForFrames(
        _ count: Int, of name: String, within limit: Duration = .seconds(40), file: String = #fileID, line: Int = #line
    ) async throws {
        try await wait("\(count) frames of \(name)", count, within: limit, file: file, line: line) {
            await frameCount(of: name)
        }
    }

    /// Waits until nginx has recorded so many more frames of a stream than now.
    func waitForMoreFrames(
        _ count: Int, of name: String, within limit: Duration = .seconds(40), file: String = #fileID, line: Int = #line
    ) async throws {
        try await waitForFrames(frameCount(of: name) + count, of: name, within: limit, file: file, line: line)
    }

    /// Waits until nginx has recorded so many frames with a number: frames of a numbered source, and not of the slate,
    /// which is on air for long on a slow machine.
    func waitForNumbers(
        _ count: Int, of name: String, within limit: Duration = .seconds(40), file: String = #fileID, line: Int = #line
    ) async throws {
        try await wait("\(count) numbers of \(name)", count, within: limit, file: file, line: line) {
            await numberCount(of: name)
        }
    }

    /// Waits until nginx has recorded so many more frames with a number than now.
    func waitForMoreNumbers(
        _ count: Int, of name: String, within limit: Duration = .seconds(40), file: String = #fileID, line: Int = #line
    ) async throws {
        try await waitForNumbers(numberCount(of: name) + count, of: name, within: limit, file: file, line: line)
    }

    /// Waits until so many beeps are in nginx's only recording of a stream.
    func waitForBeeps(
        _ count: Int, of name: String, within limit: Duration = .seconds(60), file: String = #fileID, line: Int = #line
    ) async throws {
        try await wait("\(count) beeps of \(name)", count, within: limit, file: file, line: line) {
            (try? await reading(of: name))?.beeps.count ?? 0
        }
    }

    /// Waits until a number is large enough. The error says how large it was.
    private func wait(
        _ what: String, _ count: Int, within limit: Duration, file: String, line: Int, _ current: () async -> Int
    ) async throws {
        var seen = 0
        do {
            try await eventually(what, within: limit, every: .milliseconds(300), file: file, line: line) {
                seen = await current()
                return seen >= count
            }
        } catch let error as WaitedInVain {
            throw Failed("\(error); \(seen) came")
        }
    }

    /// Counts the frames in nginx's recordings of a stream, without decoding them.
    private func frameCount(of name: String) async -> Int {
        var count = 0
        for path in recordings(of: name) {
            guard let probe = try? await MediaProbe.read(.url(path)) else { continue }
            count += probe.packets(of: probe.video).count
        }
        return count
    }

    /// Counts the frames with a number in nginx's recordings of a stream.
    private func numberCount(of name: String) async -> Int {
        var count = 0
        for path in recordings(of: name) {
            guard let reading = try? await FrameReader.read(.url(path), audio: false) else { continue }
            count += reading.numbers.count
        }
        return count
    }

    /// Decodes nginx's only recording of a stream.
    func reading(of name: String) async throws -> FrameReader.Reading {
        let files = recordings(of: name)
        guard files.count == 1 else { throw Failed("\(files.count) recordings of \(name)") }
        return try await FrameReader.read(.url(files[0]))
    }

    /// Whether a stream was published exactly once, and its publisher disconnected in the orderly way.
    func wasPublishedOnceInOrder(_ name: String) async throws -> Bool {
        try await eventually("the end of \(name)") { try self.publishes(of: name).allSatisfy { $0.hasEnded } }
        let publishes = try self.publishes(of: name)
        return publishes.count == 1 && publishes[0].isAccepted && publishes[0].endedOrderly
    }
}
