/// The tags of an FLV file, which are the messages of an RTMP publisher.
package struct FLVFile {
    /// A tag of video or audio.
    package struct Tag: Sendable, Hashable {
        package enum Kind: UInt8, Sendable {
            case audio = 8
            case video = 9
        }

        package var kind: Kind
        /// In milliseconds.
        package var time: Int
        package var body: [UInt8]

        /// Whether it is a sequence header of AVC or AAC.
        package var isHeader: Bool { body.count > 1 && body[1] == 0 }
        /// Whether it is a frame of AVC.
        package var isFrame: Bool { kind == .video && body.count > 1 && body[1] == 1 }
        package var isKeyframe: Bool { kind == .video && !isHeader && (body.first ?? 0) >> 4 == 1 }
    }

    package var tags: [Tag] = []

    package init(_ bytes: [UInt8]) {
        // Skips the header, and the length of the tag before the first one.
        var rest = bytes.dropFirst(13)
        func number(_ at: Int, _ count: Int) -> Int {
            rest.dropFirst(at).prefix(count).reduce(0) { $0 << 8 | Int($1) }
        }
        while rest.count > 11 {
            let size = number(1, 3)
            let time = number(4, 3) | number(7, 1) << 24
            if let kind = Tag.Kind(rawValue: rest[rest.startIndex]) {
                tags.append(Tag(kind: kind, time: time, body: Array(rest.dropFirst(11).prefix(size))))
            }
            rest = rest.dropFirst(11 + size + 4)
        }
    }
}
