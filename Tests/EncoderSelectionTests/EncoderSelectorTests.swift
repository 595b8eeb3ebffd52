import BoxConfiguration
import CapabilityProbe
import EncoderSelection
import FFmpeg
import MediaTypes
import Testing

/// The encoder that a group gets, from the state of the box.
@Suite struct EncoderSelectorTests {
    private static let intel = GPU(slot: "0000:00:02.0", driver: "i915", renderNode: "/dev/dri/renderD128")
    private static let amd = GPU(slot: "0000:03:00.0", driver: "amdgpu", renderNode: "/dev/dri/renderD129")
    private static let nvidia = GPU(slot: "0000:01:00.0", driver: "nvidia", renderNode: "/dev/dri/renderD130")
    private static let listed: Set<String> = Set(EncoderName.all.map(\.name))

    private func selector(
        _ gpus: [GPU] = [intel, amd, nvidia], listed: Set<String> = listed,
        order: [EncoderFamily] = EncoderPreferences.defaultOrder,
        usable: [EncoderCandidate] = [], failed: [EncoderCandidate: Standing] = [:], load: [String: Double] = [:]
    ) -> EncoderSelector {
        var standings = failed
        for candidate in usable { standings[candidate] = .usable }
        return EncoderSelector(
            catalogue: EncoderCatalogue(listed: listed, gpus: gpus), order: order, standings: standings, load: load)
    }

    private func encoding(_ names: [String], codec: VideoCodec = .h264) -> VideoEncoding {
        let requests = names.map { name in
            let parts = name.split(separator: "@").map(String.init)
            return EncoderRequest(name: parts[0], gpu: parts.count > 1 ? parts[1] : nil)
        }
        return VideoEncoding(codec: codec, encoder: names.isEmpty ? .auto : .list(requests))
    }

    private let nvencOnNvidia = EncoderCandidate("h264_nvenc", gpu: "0000:01:00.0")
    private let vaapiOnIntel = EncoderCandidate("h264_vaapi", gpu: "0000:00:02.0")
    private let vaapiOnAMD = EncoderCandidate("h264_vaapi", gpu: "0000:03:00.0")

    @Test("without a GPU the software encoder is chosen, and is not degraded")
    func software() {
        let choice = selector([]).choose(for: encoding([]))
        #expect(choice.candidate == .software(.h264) && !choice.isDegraded)
        #expect(choice.reason == "libx264: the software encoder; no hardware encoder was found")
        #expect(selector([]).choose(for: encoding([], codec: .hevc)).candidate == EncoderCandidate("libx265"))
    }

    @Test("auto takes the first family of the order that passed its trial")
    func order() {
        #expect(selector(usable: [nvencOnNvidia, vaapiOnIntel]).choose(for: encoding([])).candidate == nvencOnNvidia)
        #expect(
            selector(order: [.vaapi, .nvenc, .software], usable: [nvencOnNvidia, vaapiOnIntel]).choose(
                for: encoding([])
            )
            .candidate == vaapiOnIntel)
        #expect(
            selector(order: [.software, .vaapi], usable: [vaapiOnIntel]).choose(for: encoding([])).candidate
                == .software(.h264))
    }

    @Test("a family that the order leaves out is never used, not even as the last resort")
    func leftOut() {
        let choice = selector(order: [.nvenc]).choose(for: encoding([]))
        #expect(choice.candidate == nil && choice.isDegraded)
        #expect(choice.reason.contains("not tried yet"))
    }

    @Test("software after failed hardware is degraded, with the reason")
    func degraded() {
        let choice = selector([Self.intel], failed: [vaapiOnIntel: .failed("the VA driver is missing")]).choose(
            for: encoding([]))
        #expect(choice.candidate == .software(.h264) && choice.isDegraded)
        #expect(choice.reason.contains("h264_vaapi@0000:00:02.0: the VA driver is missing"))
    }

    @Test(
        "a choice knows whether a refused option or the device led to it",
        arguments: [FailureReason.Kind.refusedOption, .device])
    func refusal(kind: FailureReason.Kind) {
        let standing = Standing.failed(FailureReason("it cannot be used", kind: kind))
        let choice = selector([Self.intel], failed: [vaapiOnIntel: standing]).choose(for: encoding([]))
        #expect(choice.isDegraded && choice.hasRefusal == (kind == .refusedOption))
        #expect(choice.reason.contains("h264_vaapi@0000:00:02.0: it cannot be used"))
    }

    @Test("among GPUs of a family the one with the lowest load is chosen")
    func load() {
        let usable = [vaapiOnIntel, vaapiOnAMD]
        #expect(
            selector([Self.intel, Self.amd], usable: usable).choose(for: encoding(["h264_vaapi"])).candidate
                == vaapiOnIntel
        )
        #expect(
            selector([Self.intel, Self.amd], usable: usable, load: [Self.intel.slot: 1]).choose(
                for: encoding(["h264_vaapi"])
            ).candidate == vaapiOnAMD)
    }

    @Test("a pinned GPU is used, and a missing one is not replaced by another")
    func pinned() {
        let usable = [vaapiOnIntel, vaapiOnAMD]
        #expect(selector(usable: usable).choose(for: encoding(["h264_vaapi@0000:03:00.0"])).candidate == vaapiOnAMD)
        let gone = selector([Self.intel], usable: usable).choose(for: encoding(["h264_vaapi@0000:03:00.0", "libx264"]))
        #expect(gone.candidate == .software(.h264))
        #expect(gone.reason.contains("h264_vaapi@0000:03:00.0: no such device here"))
        let last = selector([Self.intel], usable: usable).choose(for: encoding(["h264_vaapi@0000:03:00.0"]))
        #expect(
            last.candidate == .software(.h264) && last.isDegraded && last.reason.contains("needs an Intel or AMD GPU"),
            "\(last.reason)")
        let order: [EncoderFamily] = [.vaapi]
        #expect(
            selector([Self.intel], order: order, usable: usable).choose(for: encoding(["h264_vaapi@0000:03:00.0"]))
                .candidate == nil)
    }

    @Test(
        "a board has an encoder for its codecs only, and lacks degrade no group")
    func v4l2Encoders() {
        let board = V4L2Encoder(
            node: "/dev/video11", name: "bcm2835-codec-encode", driver: "bcm2835-codec", codecs: ["h264"])
        let catalogue = EncoderCatalogue(listed: Self.listed, v4l2Encoders: [board])
        #expect(
            catalogue.candidates(.v4l2m2m, .h264) == [EncoderCandidate("h264_v4l2m2m")]
                && catalogue.candidates(.v4l2m2m, .hevc).isEmpty)
        let choice = EncoderSelector(catalogue: catalogue).choose(for: encoding([], codec: .hevc))
        #expect(choice.candidate == EncoderCandidate("libx265") && !choice.isDegraded)
    }

    @Test("an encoder that FFmpeg lacks is skipped with that reason")
    func notListed() {
        let choice = selector([Self.nvidia], listed: ["libx264"], usable: []).choose(for: encoding([]))
        #expect(choice.candidate == .software(.h264))
        #expect(choice.passedOver[nvencOnNvidia] == .failed("the installed FFmpeg does not have h264_nvenc"))
    }

    @Test("each family drives its own GPUs")
    func families() {
        let catalogue = EncoderCatalogue(listed: Self.listed, gpus: [Self.intel, Self.amd, Self.nvidia])
        #expect(catalogue.candidates(.vaapi, .h264).map(\.gpu) == [Self.intel.slot, Self.amd.slot])
        #expect(catalogue.candidates(.qsv, .hevc).map(\.description) == ["hevc_qsv@0000:00:02.0"])
        #expect(catalogue.candidates(.nvenc, .h264).map(\.gpu) == [Self.nvidia.slot])
        #expect(catalogue.recipe(for: vaapiOnAMD)?.deviceOptions == ["-vaapi_device", "/dev/dri/renderD129"])
        #expect(catalogue.recipe(for: EncoderCandidate("h264_vaapi", gpu: "gone")) == nil)
    }
}
