/// Messages in another codec than the stream's. One or two are an encoder's mistake or a peculiarity, and no reason to
/// do anything; another codec is one whose messages come one after the other.
struct OddMessages<Coding: Equatable> {
    private var coding: Coding?
    private var count = 0
    private static var few: Int { 2 }

    /// - Returns: The stream goes on in this codec.
    mutating func note(_ coding: Coding) -> Bool {
        count = coding == self.coding ? count + 1 : 1
        self.coding = coding
        return count > Self.few
    }

    mutating func end() { coding = nil }
}
