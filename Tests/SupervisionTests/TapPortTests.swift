import Supervision
import Testing

@Suite struct TapPortTests {
    /// The hashes are those of the published test vectors of 32-bit FNV-1a.
    @Test(
        "a name -> always the same port",
        arguments: [
            ("", 0x811C_9DC5 as UInt32), ("a", 0xE40C_292C), ("b", 0xE70C_2DE5), ("foobar", 0xBF9C_F968),
        ])
    func known(name: String, hash: UInt32) {
        #expect(TapPort.preferred(for: name) == 20_000 + Int(hash % 20_000))
    }

    @Test("any name -> a port that a program may open")
    func range() {
        for number in 0..<1000 { #expect((20_000..<40_000).contains(TapPort.preferred(for: "channel-\(number)"))) }
    }
}
