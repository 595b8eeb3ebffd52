import DataPath
import MPEGTS
import RTMP

/// Passes a publisher's audio to the processes that convert it, if a feed cannot carry it as it is.
///
/// It is used only on the data path's thread, while the peer's session still holds the message of the audio.
final class AudioConversion {
    /// The reader's next step with a message.
    enum Step {
        /// Nothing: it is a header, or it arrived too soon after another change of codec.
        case drop
        /// Report the audio to the owner, then give it to the converters.
        case reportAndGive
        /// Give it to the converters.
        case give
    }

    private struct Converter {
        let sink: any AudioSink
        /// Whether it has received the beginning of a stream.
        var hasBegun = false
    }

    private let peer: Peer
    private var converters: [Converter] = []
    /// The messages that the next converter may receive again.
    private var recent = RecentAudio()
    /// Whether the last report to the owner says that audio arrives that has to be converted.
    private var isReported = false
    /// Whether the codec has changed since the last report.
    private var isOtherCodec = false
    /// The time of the last report, in nanoseconds of the monotonic clock.
    private var lastReport = Int64.min / 2

    /// The shortest time between two reports, in nanoseconds: each change of the codec starts a process.
    private static let minimumInterval: Int64 = 1_000_000_000

    init(_ peer: Peer) {
        self.peer = peer
    }

    /// Notes a message, whose bytes are those of the session's message.
    func take(_ audio: MediaReader.ForeignAudioMessage, now: Int64) -> Step {
        let isOther = peer.session.withMedia { peer.foreignAudio.take(audio, in: $0, aac: peer.media.audioFormat) }
        if isOther {
            isOtherCodec = true
            removeConverters()
        }
        // A process receives the header before its first frame. A header alone starts no process.
        guard !audio.isHeader else { return .drop }
        guard isOtherCodec || !isReported else { return .give }
        guard now - lastReport >= Self.minimumInterval else { return .drop }
        (lastReport, isOtherCodec, isReported) = (now, false, true)
        removeConverters()
        return .reportAndGive
    }

    /// Describes audio for the owner.
    func description(of audio: MediaReader.ForeignAudioMessage) -> ForeignAudio {
        let name = name(of: audio.coding)
        return ForeignAudio(
            name: name, codec: audio.coding.nameInFFmpeg, statement: audio.coding.statement(name),
            isSeveralTracks: audio.coding == .multitrack)
    }

    /// AAC has to be converted if ADTS cannot describe it, or if the channel's audio is in another format.
    private func name(of coding: AudioCoding) -> String {
        guard coding == .aac, let format = peer.media.audioFormat?.aac else { return "\(coding)" }
        return "\(format.profile) at \(format)"
    }

    /// Gives a message to the converters, and keeps it for the next one.
    func give(_ audio: MediaReader.ForeignAudioMessage) {
        peer.session.withMedia { message in
            recent.append(audio, message)
            for index in converters.indices { give(audio, in: message, toConverter: index) }
        }
    }

    private func give(_ audio: MediaReader.ForeignAudioMessage, in message: Bytes, toConverter index: Int) {
        let sink = converters[index].sink
        if !converters[index].hasBegun {
            converters[index].hasBegun = true
            let nothing = Bytes(start: nil, count: 0)
            FLV.header.withUnsafeBytes { sink.write($0, nothing, nothing) }
            peer.foreignAudio.withHeader { give($0, in: $1, at: 0, to: sink) }
        }
        give(audio, in: message, at: sink.timestamp(forMessageAt: audio.time), to: sink)
    }

    private func give(
        _ audio: MediaReader.ForeignAudioMessage, in message: Bytes, at timestamp: UInt32, to sink: any AudioSink
    ) {
        FLV.withTag(of: audio, in: message, timestamp: timestamp) { sink.write($0, $1, $2) }
    }

    func addConverter(_ converter: any AudioSink) {
        converters.append(Converter(sink: converter))
        guard let start = converter.replayStart else { return }
        recent.replay(from: start) { give($0, in: $1, toConverter: converters.count - 1) }
    }

    func removeConverter(_ converter: any AudioSink) { converters.removeAll { $0.sink === converter } }

    /// The converters cannot read the audio that follows.
    private func removeConverters() {
        converters = []
        recent.removeAll()
    }

    /// The audio no longer needs a conversion.
    ///
    /// - Returns: Whether it needed one before.
    func end() -> Bool {
        guard isReported else { return false }
        isReported = false
        removeConverters()
        peer.foreignAudio.end()
        return true
    }
}
