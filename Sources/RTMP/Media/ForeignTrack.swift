/// Audio of a publisher that a feed does not carry, from message to message: whether it is the same as before, and what
/// a decoder has to know before its first frame.
package struct ForeignTrack {
    private var coding: AudioCoding?
    /// The first byte of its messages, where that says how they are coded.
    private var format: UInt8?
    /// A frame has come since the newest header.
    private var hasFrames = false
    /// The message with the newest header; of use where ``headerAudio`` is there.
    private var header: [UInt8] = []
    private var headerAudio: MediaReader.ForeignAudio?

    /// Bytes of a message with a header, at the most. Those of FLAC and Opus take less than a hundred.
    private static let mostHeader = 4096

    package init() {}

    /// Takes a message.
    ///
    /// - Returns: It is other audio than before: a decoder that reads what came cannot go on with it.
    package mutating func take(_ audio: MediaReader.ForeignAudio, in message: Bytes) -> Bool {
        let isOther = audio.coding != coding
        if isOther { (coding, format, hasFrames, headerAudio) = (audio.coding, nil, false, nil) }
        if audio.isHeader { return takeHeader(audio, message) || isOther }
        let format = Self.format(of: audio, message)
        defer { (self.format, hasFrames) = (format, true) }
        return isOther || hasFrames && format != self.format
    }

    /// - Returns: It is another one than before, or comes behind the first frames.
    private mutating func takeHeader(_ audio: MediaReader.ForeignAudio, _ message: Bytes) -> Bool {
        guard message.count <= Self.mostHeader, headerAudio != audio || !header.elementsEqual(message) else {
            return false
        }
        let isOther = headerAudio != nil || hasFrames
        header.removeAll(keepingCapacity: true)
        header.append(contentsOf: message)
        (headerAudio, hasFrames) = (audio, false)
        return isOther
    }

    /// Of PCM and of the codecs for speech, the first byte has the rate, the size of a sample and the channels. MP3
    /// says so in its frames, and what came with Enhanced RTMP, like AAC, in its header.
    private static func format(of audio: MediaReader.ForeignAudio, _ message: Bytes) -> UInt8? {
        audio.body.lowerBound == 1 && audio.coding != .mp3 ? message.first : nil
    }

    /// The audio is carried again.
    package mutating func end() { self = ForeignTrack() }

    /// Calls `body` with the newest header and the bytes of its message, where there is one.
    package func withHeader(_ body: (MediaReader.ForeignAudio, Bytes) -> Void) {
        guard let headerAudio else { return }
        header.withUnsafeBytes { body(headerAudio, $0) }
    }
}
