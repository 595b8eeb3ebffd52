import CapabilityProbe
import EncoderSelection
import FFmpeg
import Foundation
import Logging
import Synchronization
import SystemPackage
import SystemSupport

@testable import Supervision

/// Records words, and blocks at the first of a kind until another thread has added a word, or could have.
final class Slow<Word: Sendable>: Sendable {
    private let words = Mutex<[Word]>([])
    private let isHearing = DispatchSemaphore(value: 0), hasSpoken = DispatchSemaphore(value: 0)
    private let isFirst = Mutex(true)
    private let takesTime: @Sendable (Word) -> Bool

    init(over takesTime: @escaping @Sendable (Word) -> Bool) { self.takesTime = takesTime }

    var all: [Word] { words.withLock { $0 } }

    func hear(_ word: Word) {
        let waits =
            takesTime(word)
            && isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
        if waits {
            isHearing.signal()
            _ = hasSpoken.wait(timeout: .now() + .milliseconds(200))
        }
        words.withLock { $0.append(word) }
    }

    /// Runs `body` while the first word is blocked.
    func interrupt(_ body: @escaping @Sendable () -> Void) async {
        await BlockingIO.run { [self] in
            isHearing.wait()
            body()
            hasSpoken.signal()
        }
    }
}

/// A process that blocks at the first event that nothing is to run.
struct SlowProcess: Supervised {
    let slow = Slow<ProcessMachine.Event> { $0 == .want(false) }
    func report(_ event: ProcessMachine.Event) { slow.hear(event) }
}

/// Records the events that are reported to a process, and runs none.
final class HeardProcess: Supervised {
    private let words = Mutex<[ProcessMachine.Event]>([])
    var all: [ProcessMachine.Event] { words.withLock { $0 } }
    func report(_ event: ProcessMachine.Event) { words.withLock { $0.append(event) } }
}

extension FFmpegCapabilities {
    /// A release with everything that the service uses, but for what has one of these names, and with more filters.
    ///
    /// - Parameters:
    ///   - library: The number of its libavutil, `57. 44.100`, where the name of the release does not count.
    ///   - decoders: It does not have these; an encoder may have the same name.
    static func complete(
        _ release: String, library: String? = nil, without names: Set<String> = [],
        withoutDecoders decoders: Set<String> = [], with more: Set<String> = []
    ) -> FFmpegCapabilities {
        let line = library.map { "libavutil      \($0) / \($0)\n" } ?? ""
        let all = complete(FFmpegVersion(output: "ffmpeg version \(release) Copyright\n" + line)!)
        return FFmpegCapabilities(
            version: all.version, encoders: all.encoders.subtracting(names),
            decoders: all.decoders.subtracting(decoders), filters: all.filters.subtracting(names).union(more),
            bitstreamFilters: all.bitstreamFilters.subtracting(names),
            inputProtocols: all.inputProtocols.subtracting(names),
            outputProtocols: all.outputProtocols.subtracting(names), demuxers: all.demuxers.subtracting(names),
            muxers: all.muxers.subtracting(names),
            options: all.options, srtOptions: all.srtOptions.subtracting(names), rtspOptions: all.rtspOptions,
            x265Options: all.x265Options,
            hwaccels: all.hwaccels, acceptsRateWithPassthrough: all.acceptsRateWithPassthrough,
            presetReachesOutput: all.presetReachesOutput)
    }
}

extension ServiceContext {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A box with nothing in it that could run.
    static func none(_ captures: CaptureManager? = nil) -> ServiceContext {
        let ffmpeg = FFmpegBinary.nowhere
        let encoders = EncoderManager(
            EncoderCatalogue(listed: []), trial: EncoderTrial(ffmpeg: ffmpeg, environment: [:]), logger: silent)
        var context = ServiceContext(
            ffmpeg: ffmpeg, encoders: encoders, runtime: FilePath("/nowhere"), environment: [:], logger: silent)
        if let captures { context.captures = captures }
        return context
    }
}

extension FFmpegBinary {
    /// FFmpeg 5.1 at a path where there is none.
    static let nowhere = FFmpegBinary(
        path: "/nowhere/ffmpeg", capabilities: .complete(FFmpegVersion(output: "ffmpeg version 5.1.6")!))
}
