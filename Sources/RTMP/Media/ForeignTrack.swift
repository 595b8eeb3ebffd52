/// Audio of a publisher that has to be converted, from message to message: whether it is the same as before, and what a
/// decoder has to know before its first frame.
package struct ForeignTrack {
    private var coding: AudioCoding?
    /// Of AAC.
    private var aac: AudioFormat?
    /// The first byte of its messages, where that says how they are coded.
    private var format: UInt8?
    /// A frame has come since the newest header.
    private var hasFrames = false
    /// The message with the newest header; of use where ``headerAudio`` is there.
    private var header: [UInt8] = []
    private var headerAudio: MediaReader.ForeignAudio?
    /// The header was made here: the publisher's came before its audio had to be converted.
    private var isMade = false

    /// Bytes of a message with a header, at the most. Those of FLAC and Opus take less than a hundred.
    private static let mostHeader = 4096

    package init() {}

    /// Takes a message.
    ///
    /// - Parameter aac: What the newest header of AAC says, where there is one.
    /// - Returns: It is other audio than before: a decoder that reads what came cannot go on with it.
    package mutating func take(
        _ audio: MediaReader.ForeignAudio, in message: Bytes, aac: AudioFormat?
    ) -> Bool {
        let isOther = audio.coding != coding || audio.coding == .aac && aac != self.aac
        if isOther {
            end()
            (coding, self.aac) = (audio.coding, aac)
        }
        if audio.isHeader { return takeHeader(audio, message) || isOther }
        if audio.coding == .aac, headerAudio == nil, let aac, aac.fitsADTS { makeHeader(aac) }
        let format = Self.format(of: audio, message)
        defer { (self.format, hasFrames) = (format, true) }
        return isOther || hasFrames && format != self.format
    }

    /// - Returns: It is another one than before, or comes behind the first frames.
    private mutating func takeHeader(_ audio: MediaReader.ForeignAudio, _ message: Bytes) -> Bool {
        guard message.count <= Self.mostHeader, headerAudio != audio || !header.elementsEqual(message) else {
            return false
        }
        let isOther = !isMade && (headerAudio != nil || hasFrames)
        header.removeAll(keepingCapacity: true)
        header.append(contentsOf: message)
        (headerAudio, isMade) = (audio, false)
        if isOther { hasFrames = false }
        return isOther
    }

    /// A message of AAC with a header: two bytes behind two.
    private mutating func makeHeader(_ aac: AudioFormat) {
        header = [0xAF, 0]
        header.appendBigEndian(aac.plainConfig)
        headerAudio = MediaReader.ForeignAudio(coding: .aac, isHeader: true, time: 0, body: 2..<4)
        isMade = true
    }

    /// Of PCM and of the codecs for speech, the first byte has the rate, the size of a sample and the channels. MP3
    /// says so in its frames, and what came with Enhanced RTMP, like AAC, in its header.
    private static func format(of audio: MediaReader.ForeignAudio, _ message: Bytes) -> UInt8? {
        audio.body.lowerBound == 1 && audio.coding != .mp3 ? message.first : nil
    }

    /// The audio is carried again.
    package mutating func end() {
        (coding, aac, format, hasFrames) = (nil, nil, nil, false)
        (headerAudio, isMade) = (nil, false)
    }

    /// Calls `body` with the newest header and the bytes of its message, where there is one.
    package func withHeader(_ body: (MediaReader.ForeignAudio, Bytes) -> Void) {
        guard let headerAudio else { return }
        header.withUnsafeBytes { body(headerAudio, $0) }
    }
}
