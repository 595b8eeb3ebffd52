/// Derives the port of a tap from its name: the same at every start, and independent of the rest of the configuration.
package enum TapPort {
    /// 20000 + hash(name) mod 20000, where the hash is 32-bit FNV-1a.
    package static func preferred(for name: String) -> Int {
        var hash: UInt32 = 0x811C_9DC5
        for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return 20_000 + Int(hash % 20_000)
    }
}
