/// Media for ``FFmpegSelfCheck``, so that it needs no encoder at the beginning.
enum ReadyMadeMedia {
    /// FLV as FFmpeg writes it: six grey frames of 64x48 in H.264, 30 a second, and silence in AAC.
    static let flv = bytes(
        """
        464c5601050000000900000000090000290000000000000017000000000142c00affe100156742c00ada11ec0440000003004000000f23c4
        89a801000468ce0fc8000000340800000700000000000000af00119056e500000000120800000800000000000000af01211004608c1c0000
        001309000019000015000000001701000000000000106588843a26280c9c9c9d75d75d75d75e000000240800000800001500000000af0121
        1004608c1c000000130800000800002a00000000af01211004608c1c000000130900000f00003600000000270100000000000006419a203e
        86c00000001a0800000800004000000000af01211004608c1c000000130800000800005500000000af01211004608c1c000000130900000f
        00005800000000270100000000000006419a403e86c00000001a0800000800006a00000000af01211004608c1c000000130900000f000079
        00000000270100000000000006419a6010a1b00000001a0800000800008000000000af01211004608c1c0000001308000008000095000000
        00af01211004608c1c000000130900000f00009a00000000270100000000000006419a8010a1b00000001a080000080000aa00000000af01
        211004608c1c000000130900000f0000bc00000000270100000000000006419aa010a1b00000001a080000080000c000000000af01211004
        608c1c00000013080000080000d500000000af01211004608c1c00000013
        """)

    /// A grey PNG of 2x2 pixels.
    static let image = bytes(
        """
        89504e470d0a1a0a0000000d494844520000000200000002080000000057dd52f80000000e49444154789c6368686068680000060602012c
        c150d70000000049454e44ae426082
        """)

    /// Grey frames of this size as a program writes them for a `raw` source, 30 a second: IVF, 90000 ticks per second.
    static func frames(width: Int, height: Int) -> [UInt8] {
        func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
        }
        let frame = [UInt8](repeating: 128, count: width * height * 3 / 2)
        var file = Array("DKIF".utf8) + bytes(0, 2) + bytes(32, 2) + Array("NV12".utf8)
        file += bytes(UInt64(width), 2) + bytes(UInt64(height), 2) + bytes(90_000, 4) + bytes(1, 4) + bytes(0, 8)
        for index in 0..<5 { file += bytes(UInt64(frame.count), 4) + bytes(UInt64(index * 3000), 8) + frame }
        return file
    }

    /// The input of an audio converter: a fifth of a second of silence in µ-law, 8 kHz mono.
    static let audio: [UInt8] = {
        var file = Array("FLV".utf8) + [1, 4, 0, 0, 0, 9, 0, 0, 0, 0]
        let message = [0x82] + [UInt8](repeating: 0xFF, count: 160)
        let size = UInt8(message.count)
        for number in 0..<10 {
            file += [8, 0, 0, size, 0, 0, UInt8(20 * number), 0, 0, 0, 0] + message + [0, 0, 0, size + 11]
        }
        return file
    }()

    /// Reads lower-case hexadecimal digits, and ignores line breaks.
    private static func bytes(_ text: String) -> [UInt8] {
        let digits = text.utf8.compactMap { (digit: UInt8) -> UInt8? in
            switch digit {
            case 48...57: digit - 48
            case 97...102: digit - 87
            default: nil
            }
        }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
