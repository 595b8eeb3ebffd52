package import MediaTypes

/// The video format in a sequence parameter set.
package struct VideoFormat: Sendable, Hashable, CustomStringConvertible {
    package var codec: VideoCodec
    /// Pixels, after cropping.
    package var width: Int
    /// Pixels, after cropping.
    package var height: Int
    /// `profile_idc` (H.264) or `general_profile_idc` (HEVC).
    package var profile: Int
    /// `level_idc` (H.264) or `general_level_idc` (HEVC).
    package var level: Int
    /// Frames per second, if the stream states it (H.264 VUI timing) or it was measured.
    package var frameRate: FrameRate?
    /// The frame rate that the stream announces, which may be wrong.
    package private(set) var announcedRate: FrameRate?
    /// The pixel aspect ratio, if the stream states it (VUI).
    package var pixelAspect: PixelAspect?
    /// Frames may consist of two fields. In H.264 each frame states whether it does (`frame_mbs_only_flag` 0); in HEVC
    /// all frames do (`general_interlaced_source_flag`). False if HEVC codes each field as a picture of its own.
    package var isInterlaced = false

    /// After cropping.
    package var size: FrameSize { FrameSize(width: width, height: height) }

    /// `h264 1280x720@30`
    package var description: String {
        "\(codec) \(width)x\(height)" + (frameRate.map { "@\($0)" } ?? "")
    }

    /// Reads a sequence parameter set, NAL header included.
    package init?(_ codec: VideoCodec, parameterSet nal: some Collection<UInt8>) {
        switch codec {
        case .h264: self.init(h264: nal)
        case .hevc: self.init(hevc: nal)
        case .av1: return nil
        }
    }

    /// Reads an H.264 sequence parameter set (ITU-T H.264, 7.3.2.1.1), NAL header included.
    init?(h264 nal: some Collection<UInt8>) {
        var bits = BitReader(unescaping: nal)
        bits.skip(8)
        let profile = bits.read(8)
        bits.skip(8)
        let level = bits.read(8)
        _ = bits.readGolomb()
        let (chroma, separatePlanes) = VideoFormat.h264Chroma(&bits, profile: profile)
        _ = bits.readGolomb()
        guard bits.skipH264PictureOrder() else { return nil }
        _ = bits.readGolomb()
        bits.skip(1)
        let widthInBlocks = bits.readGolomb() + 1
        let heightInUnits = bits.readGolomb() + 1
        let framesOnly = bits.read(1)
        if framesOnly == 0 { bits.skip(1) }
        bits.skip(1)
        var crop = (left: 0, right: 0, top: 0, bottom: 0)
        if bits.read(1) == 1 {
            crop = (bits.readGolomb(), bits.readGolomb(), bits.readGolomb(), bits.readGolomb())
        }
        guard !bits.isExhausted, widthInBlocks <= 1024, heightInUnits <= 1024 else { return nil }
        let cropX = separatePlanes || chroma == 0 || chroma == 3 ? 1 : 2
        let cropY = (separatePlanes || chroma != 1 ? 1 : 2) * (2 - framesOnly)

        codec = .h264
        self.profile = profile
        self.level = level
        width = widthInBlocks * 16 - (crop.left + crop.right) * cropX
        height = (2 - framesOnly) * heightInUnits * 16 - (crop.top + crop.bottom) * cropY
        isInterlaced = framesOnly == 0
        if bits.read(1) == 1 {
            pixelAspect = VideoFormat.pixelAspect(&bits)
            frameRate = VideoFormat.h264FrameRate(&bits)
            announcedRate = frameRate
        }
        guard width > 0, height > 0 else { return nil }
    }

    /// Reads the chroma format of the profiles that state it, and skips their bit depths and scaling lists (ITU-T
    /// H.264, 7.3.2.1.1).
    private static func h264Chroma(_ bits: inout BitReader, profile: Int) -> (chroma: Int, separatePlanes: Bool) {
        guard [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].contains(profile) else {
            return (1, false)
        }
        let chroma = bits.readGolomb()
        let separatePlanes = chroma == 3 && bits.read(1) == 1
        _ = bits.readGolomb()
        _ = bits.readGolomb()
        bits.skip(1)
        if bits.read(1) == 1 {
            for list in 0..<(chroma == 3 ? 12 : 8) where bits.read(1) == 1 {
                bits.skipScalingList(count: list < 6 ? 16 : 64)
            }
        }
        return (chroma, separatePlanes)
    }

    /// The numbered pixel aspect ratios (ITU-T H.264, table E-1; H.265, table E.1); number 0 means unspecified.
    private static let pixelAspects = [
        (0, 0), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11), (80, 33),
        (18, 11), (15, 11), (64, 33), (160, 99),
        (4, 3), (3, 2), (2, 1),
    ]

    /// Reads the pixel aspect ratio at the beginning of the VUI (ITU-T H.264, E.1.1; H.265, E.2.1).
    private static func pixelAspect(_ bits: inout BitReader) -> PixelAspect? {
        guard bits.read(1) == 1 else { return nil }
        let number = bits.read(8)
        var (width, height) = pixelAspects.indices.contains(number) ? pixelAspects[number] : (0, 0)
        if number == 255 { (width, height) = (bits.read(16), bits.read(16)) }
        return width > 0 && height > 0 ? PixelAspect(width: width, height: height) : nil
    }

    /// Skips overscan, colours and the position of the chroma samples, which follow the pixel aspect ratio in the VUI
    /// of both codecs (ITU-T H.264, E.1.1; H.265, E.2.1).
    private static func skipPresentation(_ bits: inout BitReader) {
        if bits.read(1) == 1 { bits.skip(1) }
        if bits.read(1) == 1 {
            bits.skip(4)
            if bits.read(1) == 1 { bits.skip(24) }
        }
        if bits.read(1) == 1 {
            _ = bits.readGolomb()
            _ = bits.readGolomb()
        }
    }

    /// Reads the timing in the VUI (ITU-T H.264, E.1.1), from the end of the pixel aspect ratio.
    private static func h264FrameRate(_ bits: inout BitReader) -> FrameRate? {
        skipPresentation(&bits)
        guard bits.read(1) == 1 else { return nil }
        let unitsInTick = bits.read(32)
        let timeScale = bits.read(32)
        guard !bits.isExhausted, unitsInTick > 0, timeScale > 0 else { return nil }
        return FrameRate(timeScale, unitsInTick * 2)
    }

    /// Reads an HEVC sequence parameter set (ITU-T H.265, 7.3.2.2.1), NAL header included. Its frame rate is measured.
    init?(hevc nal: some Collection<UInt8>) {
        var bits = BitReader(unescaping: nal)
        bits.skip(16 + 4)
        let subLayers = bits.read(3)
        bits.skip(1 + 3)
        let profile = bits.read(5)
        bits.skip(32)
        let isProgressiveSource = bits.read(1) == 1
        let isInterlacedSource = bits.read(1) == 1
        bits.skip(46)
        let level = bits.read(8)
        var present: [(profile: Bool, level: Bool)] = []
        for _ in 0..<subLayers { present.append((bits.read(1) == 1, bits.read(1) == 1)) }
        if subLayers > 0 { bits.skip(2 * (8 - subLayers)) }
        for layer in present {
            if layer.profile { bits.skip(88) }
            if layer.level { bits.skip(8) }
        }
        _ = bits.readGolomb()
        let chroma = bits.readGolomb()
        if chroma == 3 { bits.skip(1) }
        let width = bits.readGolomb()
        let height = bits.readGolomb()
        var crop = (left: 0, right: 0, top: 0, bottom: 0)
        if bits.read(1) == 1 {
            crop = (bits.readGolomb(), bits.readGolomb(), bits.readGolomb(), bits.readGolomb())
        }
        guard !bits.isExhausted, (1...16384).contains(width), (1...16384).contains(height) else { return nil }
        codec = .hevc
        self.profile = profile
        self.level = level
        self.width = width - (crop.left + crop.right) * (chroma == 1 || chroma == 2 ? 2 : 1)
        self.height = height - (crop.top + crop.bottom) * (chroma == 1 ? 2 : 1)
        frameRate = nil
        guard self.width > 0, self.height > 0 else { return nil }
        // If the rest cannot be read, the values so far are the result.
        guard bits.skipHEVCCoding(subLayers: subLayers) else { return }
        let hasUsability = bits.read(1) == 1
        guard !bits.isExhausted else { return }
        guard hasUsability else {
            isInterlaced = isInterlacedSource && !isProgressiveSource
            return
        }
        let aspect = VideoFormat.pixelAspect(&bits)
        guard !bits.isExhausted else { return }
        pixelAspect = aspect
        let (areFields, rate) = VideoFormat.hevcTiming(&bits)
        announcedRate = rate
        isInterlaced = isInterlacedSource && !isProgressiveSource && areFields == false
    }

    /// Reads the timing in the VUI (ITU-T H.265, E.2.1), from the end of the pixel aspect ratio.
    ///
    /// - Returns: Whether pictures are fields, `nil` if that cannot be read; and their rate, if it is stated.
    private static func hevcTiming(_ bits: inout BitReader) -> (areFields: Bool?, rate: FrameRate?) {
        skipPresentation(&bits)
        bits.skip(1)
        let areFields = bits.read(1) == 1
        bits.skip(1)
        guard !bits.isExhausted else { return (nil, nil) }
        if bits.read(1) == 1 {
            for _ in 0..<4 { _ = bits.readGolomb() }
        }
        guard bits.read(1) == 1 else { return (areFields, nil) }
        let unitsInTick = bits.read(32)
        let timeScale = bits.read(32)
        guard !bits.isExhausted, unitsInTick > 0, timeScale > 0 else { return (areFields, nil) }
        return (areFields, FrameRate(timeScale, unitsInTick))
    }
}
