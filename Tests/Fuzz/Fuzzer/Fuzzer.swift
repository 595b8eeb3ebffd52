import Glibc

/// The entry points for libFuzzer, which provides `main`. They call the target that `STREAMBOX_FUZZ_TARGET` names.
nonisolated(unsafe) private var target: FuzzTarget?

@_cdecl("LLVMFuzzerInitialize")
package func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    let wanted = getenv("STREAMBOX_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    if wanted == "list" {
        for target in FuzzTarget.all { print(target.name) }
        exit(0)
    }
    guard let found = FuzzTarget.all.first(where: { $0.name == wanted }) else {
        say("fuzz: unknown target \(wanted); use one of \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
        exit(2)
    }
    target = found
    if let folder = getenv("STREAMBOX_FUZZ_SEEDS") { write(found, to: String(cString: folder)) }
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
package func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try target!.run(UnsafeRawBufferPointer(start: bytes, count: count))
    } catch {
        say("FINDING: \(error)")
        abort()
    }
    return 0
}

private func say(_ sentence: String) {
    let line = Array("\(sentence)\n".utf8)
    _ = Glibc.write(STDERR_FILENO, line, line.count)
}

/// Writes the generated seeds and the dictionary for libFuzzer.
private func write(_ target: FuzzTarget, to folder: String) {
    func put(_ bytes: [UInt8], _ name: String) {
        guard let file = fopen("\(folder)/\(name)", "we") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }
    for (number, seed) in target.seeds.enumerated() { put(seed, "seed-\(number)") }
    let words = target.words.map { word in
        "\""
            + word.utf8.map { byte in
                let hex = String(byte, radix: 16)
                return "\\x" + (hex.count == 1 ? "0" + hex : hex)
            }.joined() + "\"\n"
    }
    put(Array(words.joined().utf8), "../words")
}
