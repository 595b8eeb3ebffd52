import MPEGTS
import RTMP

/// The newest audio messages of a publisher that have to be converted. A converter process that replaces another one
/// receives them again.
///
/// It allocates memory only when it keeps more than ever before.
struct RecentAudio {
    private struct Message {
        var audio: MediaReader.ForeignAudioMessage
        /// The position of its bytes.
        var start: Int
        /// The number of its bytes.
        var count: Int
    }

    private var bytes: [UInt8] = []
    private var messages: [Message] = []
    /// The index of the oldest message that is kept. Those before it are removed when they take as much memory as the
    /// kept ones.
    private var oldest = 0

    /// The longest time from the oldest message to the newest, in ticks.
    private let span: Int64
    /// The largest size of all messages with their entries, in bytes.
    private let maximumBytes: Int

    private static let entrySize = MemoryLayout<Message>.stride

    /// - Parameters:
    ///   - span: Longer than a channel waits for audio plus the audio that a decoder needs before that.
    ///   - maximumBytes: The largest amount of data for a process that is starting: more than a second of PCM.
    init(span: Int64 = 4 * Ticks.perSecond, maximumBytes: Int = 256 << 10) {
        self.span = span
        self.maximumBytes = maximumBytes
    }

    /// The number of messages that are kept.
    var count: Int { messages.count - oldest }

    private var firstByte: Int { oldest < messages.count ? messages[oldest].start : bytes.count }

    /// The size of the kept messages with their entries, in bytes.
    private var size: Int { bytes.count - firstByte + count * Self.entrySize }

    /// Keeps a message, and removes old ones that exceed the limits with it. A message that is larger than the limit
    /// empties the buffer, and is not kept.
    mutating func append(_ audio: MediaReader.ForeignAudioMessage, _ message: Bytes) {
        let added = message.count + Self.entrySize
        guard added <= maximumBytes else { return removeAll() }
        while oldest < messages.count, audio.time - messages[oldest].audio.time > span || size + added > maximumBytes {
            oldest += 1
        }
        compact()
        messages.append(Message(audio: audio, start: bytes.count, count: message.count))
        bytes.append(contentsOf: message)
    }

    /// Calls `body` with the messages from `time` on, oldest first.
    func replay(from time: Int64, _ body: (MediaReader.ForeignAudioMessage, Bytes) -> Void) {
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
        guard unused + oldest * Self.entrySize >= size else { return }
        bytes.removeFirst(unused)
        messages.removeFirst(oldest)
        for index in messages.indices { messages[index].start -= unused }
        oldest = 0
    }
}
