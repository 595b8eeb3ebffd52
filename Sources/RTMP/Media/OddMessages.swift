/// Counts messages in another codec than the stream's. One or two are an encoder's mistake or peculiarity, and are
/// ignored. Several in a row mean that the codec has changed.
struct OddMessages<Coding: Equatable> {
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
