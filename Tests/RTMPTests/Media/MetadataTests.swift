import Testing

@testable import RTMP

/// The metadata that publishers announce.
@Suite struct MetadataTests {
    private func read(_ values: AMF0...) -> MediaMetadata? {
        var bytes: [UInt8] = []
        for value in values { value.write(to: &bytes) }
        return bytes.withUnsafeBytes { MediaMetadata($0) }
    }

    @Test("known properties are read, with or without @setDataFrame")
    func known() {
        let properties = AMF0.object([
            .init("width", .number(1280)), .init("height", .number(720)), .init("framerate", .number(29.97)),
            .init("videocodecid", .number(7)), .init("audiocodecid", .string("Opus")),
            .init("audiosamplerate", .number(48_000)),
            .init("encoder", .string("anything")),
        ])
        for found in [
            read(.string("@setDataFrame"), .string("onMetaData"), properties), read(.string("onMetaData"), properties),
        ] {
            #expect(found?.width == 1280 && found?.height == 720 && found?.frameRate == 29.97)
            #expect(found?.video == .h264 && found?.audio == .opus && found?.audioSampleRate == 48_000)
            #expect(found?.description == "H.264 1280x720 at 29.97 fps, Opus at 48000 Hz")
        }
    }

    @Test("impossible properties are ignored, and other messages are not metadata")
    func impossible() {
        let found = read(
            .string("onMetaData"),
            .object([
                .init("width", .number(.nan)), .init("height", .number(-1)), .init("framerate", .number(.infinity)),
                .init("videocodecid", .number(1e300)), .init("audiocodecid", .string("")),
                .init("audiosamplerate", .boolean(true)),
            ]))
        #expect(found != nil && found?.width == nil && found?.height == nil && found?.frameRate == nil)
        #expect(found?.video == nil && found?.audio == nil && found?.audioSampleRate == nil)
        #expect(found?.description == "")
        #expect(read(.string("onTextData"), .object([])) == nil && read(.number(1)) == nil)
        #expect(read(.string("onMetaData")) == nil && read(.string("@setDataFrame")) == nil)
    }
}
