/// Tracks a publisher's audio that has to be converted: whether its codec or format has changed, and the header that a
/// decoder needs before the first frame.
package struct ForeignTrack {
    private var coding: AudioCoding?
    /// The format of AAC.
    private var aac: AudioFormat?
    /// The first byte of its messages, if it contains the format.
    private var format: UInt8?
    /// Whether a frame has arrived since the newest header.
    private var hasFrames = false
    /// The message with the newest header; valid if ``headerAudio`` is not `nil`.
    private var header: [UInt8] = []
    private var headerAudio: MediaReader.ForeignAudioMessage?
    /// Whether the header was generated: the publisher's arrived before its audio had to be converted.
    private var isGenerated = false

    /// The largest size of a message with a header, in bytes. Headers of FLAC and Opus take less than a hundred.
    private static let maximumHeaderSize = 4096

    package init() {}

    /// Takes a message.
    ///
    /// - Parameter aac: The format in the newest AAC header, if there is one.
    /// - Returns: Whether codec or format has changed, so that a decoder of the earlier audio cannot continue.
    package mutating func take(
        _ audio: MediaReader.ForeignAudioMessage, in message: Bytes, aac: AudioFormat?
    ) -> Bool {
        let isOther = audio.coding != coding || audio.coding == .aac && aac != self.aac
        if isOther {
            end()
            (coding, self.aac) = (audio.coding, aac)
        }
        if audio.isHeader { return takeHeader(audio, message) || isOther }
        if audio.coding == .aac, headerAudio == nil, let aac, aac.fitsADTS { generateHeader(aac) }
        let format = Self.format(of: audio, message)
        defer { (self.format, hasFrames) = (format, true) }
        return isOther || hasFrames && format != self.format
    }

    /// - Returns: Whether it differs from the previous header, or arrives after the first frames.
    private mutating func takeHeader(_ audio: MediaReader.ForeignAudioMessage, _ message: Bytes) -> Bool {
        guard message.count <= Self.maximumHeaderSize, headerAudio != audio || !header.elementsEqual(message) else {
            return false
        }
        let isOther = !isGenerated && (headerAudio != nil || hasFrames)
        header.removeAll(keepingCapacity: true)
        header.append(contentsOf: message)
        (headerAudio, isGenerated) = (audio, false)
        if isOther { hasFrames = false }
        return isOther
    }

    /// Generates an AAC message with a header: two bytes before the two bytes of the configuration.
    private mutating func generateHeader(_ aac: AudioFormat) {
        header = [0xAF, 0]
        header.appendBigEndian(aac.plainConfig)
        headerAudio = MediaReader.ForeignAudioMessage(coding: .aac, isHeader: true, time: 0, body: 2..<4)
        isGenerated = true
    }

    /// For PCM and the speech codecs, the first byte contains the rate, the size of a sample and the channels. The
    /// frames of MP3 contain them, and so do the headers of AAC and of the codecs of Enhanced RTMP.
    private static func format(of audio: MediaReader.ForeignAudioMessage, _ message: Bytes) -> UInt8? {
        audio.body.lowerBound == 1 && audio.coding != .mp3 ? message.first : nil
    }

    /// Called when the audio no longer needs a conversion.
    package mutating func end() {
        (coding, aac, format, hasFrames) = (nil, nil, nil, false)
        (headerAudio, isGenerated) = (nil, false)
    }

    /// Calls `body` with the newest header and the bytes of its message, if there is one.
    package func withHeader(_ body: (MediaReader.ForeignAudioMessage, Bytes) -> Void) {
        guard let headerAudio else { return }
        header.withUnsafeBytes { body(headerAudio, $0) }
    }
}
