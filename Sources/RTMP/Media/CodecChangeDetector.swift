/// Decides whether messages in another codec than the stream's mean that the codec has changed: several in a row do.
/// One or two are a mistake or a peculiarity of the encoder, and are ignored.
struct CodecChangeDetector<Coding: Equatable> {
    private var coding: Coding?
    private var count = 0
    private static var tolerated: Int { 2 }

    /// - Returns: Whether the stream continues in this codec.
    mutating func note(_ coding: Coding) -> Bool {
        count = coding == self.coding ? count + 1 : 1
        self.coding = coding
        return count > Self.tolerated
    }

    mutating func end() { coding = nil }
}
