import MPEGTS
import RTMP

/// The messages of audio that a publisher sent last, as far as they have to be converted: a process that takes over
/// from another one is given them once more.
///
/// Memory is taken only where more is kept than ever before.
struct RecentAudio {
    private struct Message {
        var audio: MediaReader.ForeignAudio
        /// Where its bytes begin, and how many they are.
        var start: Int
        var count: Int
    }

    private var bytes: [UInt8] = []
    private var messages: [Message] = []
    /// The oldest one that is kept. Those before it are removed when they take as much memory as what is kept.
    private var oldest = 0

    /// Ticks from the oldest message to the newest, at the most.
    private let span: Int64
    /// Bytes of all messages, with what is noted of each, at the most.
    private let mostBytes: Int

    private static let noteSize = MemoryLayout<Message>.stride

    /// - Parameters:
    ///   - span: More than a channel waits for sound, with what a decoder is given before.
    ///   - mostBytes: What waits for a process that is starting, at the most: more than a second of PCM.
    init(span: Int64 = 4 * Ticks.perSecond, mostBytes: Int = 256 << 10) {
        self.span = span
        self.mostBytes = mostBytes
    }

    /// Messages that are kept.
    var count: Int { messages.count - oldest }

    private var firstByte: Int { oldest < messages.count ? messages[oldest].start : bytes.count }

    /// Bytes that what is kept takes.
    private var size: Int { bytes.count - firstByte + count * Self.noteSize }

    /// Keeps a message, in place of those that are too old, or take too much with it. One that is larger than all may
    /// be is not kept.
    mutating func append(_ audio: MediaReader.ForeignAudio, _ message: Bytes) {
        let added = message.count + Self.noteSize
        guard added <= mostBytes else { return removeAll() }
        while oldest < messages.count, audio.time - messages[oldest].audio.time > span || size + added > mostBytes {
            oldest += 1
        }
        compact()
        messages.append(Message(audio: audio, start: bytes.count, count: message.count))
        bytes.append(contentsOf: message)
    }

    /// Calls `body` with the messages from a time on, oldest first.
    func replay(from time: Int64, _ body: (MediaReader.ForeignAudio, Bytes) -> Void) {
        bytes.withUnsafeBytes { all in
            for message in messages[oldest...] where message.audio.time >= time {
                body(message.audio, Bytes(rebasing: all[message.start..<message.start + message.count]))
            }
        }
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        messages.removeAll(keepingCapacity: true)
        oldest = 0
    }

    private mutating func compact() {
        let unused = firstByte
        guard unused + oldest * Self.noteSize >= size else { return }
        bytes.removeFirst(unused)
        messages.removeFirst(oldest)
        for index in messages.indices { messages[index].start -= unused }
        oldest = 0
    }
}
