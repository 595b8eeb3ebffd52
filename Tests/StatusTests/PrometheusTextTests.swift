import Status
import Testing

/// The text for Prometheus.
@Suite struct PrometheusTextTests {
    private static let box = BoxSnapshot(
        version: "1.2.3", ffmpeg: "5.1", started: 1000, updated: 1010.5,
        process: ProcessFigures(cpuSeconds: 1.25, residentBytes: 4096, openDescriptors: 7),
        gpus: [
            GPUSnapshot(
                slot: "0000:00:02.0", driver: "i915", node: "/dev/dri/renderD128", state: .quarantined, trouble: "x")
        ],
        encoders: [
            EncoderSnapshot(name: "h264_vaapi", gpu: "0000:00:02.0", isUsable: false),
            EncoderSnapshot(name: "libx264", isUsable: true),
        ],
        captureDevices: [CaptureDeviceSnapshot(name: "Cam Link 4K", serial: "SN1", path: "usb-0:2")],
        channels: [
            ChannelSnapshot(
                name: "main", sources: [SourceSnapshot(id: "rtmp-0", state: .live, isOnAir: true)],
                switches: ["rtmp-0": 2, "slate": 1],
                feedBytes: 10,
                groups: [
                    GroupSnapshot(
                        name: "hd", state: .degraded, encoder: "libx264", frames: 90, lostFrames: 1, feedBytes: 5,
                        fps: 29.97,
                        exits: [EncoderExits(encoder: "libx264", cause: "crash", count: 3)],
                        handovers: ["stall": 1, "crash": 3],
                        handoverSeconds: HistogramSnapshot(bounds: [0.1, 1], counts: [2, 1, 1], sum: 3.5),
                        targets: [TargetSnapshot(name: "twitch", state: .refused, bytes: 1, connects: 4)])
                ])
        ],
        problems: [Problem(.targetRefused, subject: "target \"a\\b\"\nc", sentence: "x")])

    private static var text: String { String(decoding: PrometheusText.render(box), as: UTF8.self) }

    private func lines(_ text: String, _ start: String) -> [String] {
        text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(start) }
    }

    @Test("states are one-hot")
    func oneHot() {
        let text = Self.text
        let states = lines(text, "streambox_group_state{")
        #expect(states.count == GroupSnapshot.State.allCases.count)
        #expect(
            states.filter { $0.hasSuffix(" 1") } == [
                #"streambox_group_state{channel="main",group="hd",state="degraded"} 1"#
            ])
        #expect(lines(text, "streambox_target_state{").filter { $0.hasSuffix(" 1") }.count == 1)
    }

    @Test("GPUs, encoders and cards are labelled by what does not change")
    func hardware() {
        let text = Self.text
        #expect(
            lines(text, "streambox_gpu_info{") == [
                #"streambox_gpu_info{gpu="0000:00:02.0",node="/dev/dri/renderD128",driver="i915"} 1"#
            ])
        #expect(
            lines(text, "streambox_gpu_state{").filter { $0.hasSuffix(" 1") } == [
                #"streambox_gpu_state{gpu="0000:00:02.0",state="quarantined"} 1"#
            ])
        #expect(
            lines(text, "streambox_encoder_usable{") == [
                #"streambox_encoder_usable{encoder="h264_vaapi",gpu="0000:00:02.0"} 0"#,
                #"streambox_encoder_usable{encoder="libx264",gpu=""} 1"#,
            ])
        #expect(
            lines(text, "streambox_capture_device_info{") == [
                #"streambox_capture_device_info{device="Cam Link 4K",serial="SN1",path="usb-0:2"} 1"#
            ])
    }

    @Test("a histogram is cumulative, and its last bucket counts everything")
    func histogram() {
        #expect(
            lines(Self.text, "streambox_handover_duration_seconds") == [
                #"streambox_handover_duration_seconds_bucket{channel="main",group="hd",le="0.1"} 2"#,
                #"streambox_handover_duration_seconds_bucket{channel="main",group="hd",le="1"} 3"#,
                #"streambox_handover_duration_seconds_bucket{channel="main",group="hd",le="+Inf"} 4"#,
                #"streambox_handover_duration_seconds_sum{channel="main",group="hd"} 3.5"#,
                #"streambox_handover_duration_seconds_count{channel="main",group="hd"} 4"#,
            ])
    }

    @Test("labels are escaped, in a stable order")
    func labels() {
        let text = Self.text
        #expect(
            lines(text, "streambox_problem{") == [
                #"streambox_problem{problem="target-refused",subject="target \"a\\b\"\nc"} 1"#
            ])
        #expect(lines(text, "streambox_handovers_total{").map { $0.contains("crash") } == [true, false])
        #expect(text == Self.text)
    }

    @Test("each family has help and type once, before its samples")
    func families() {
        let text = Self.text
        #expect(text.hasSuffix("\n"))
        var seen: Set<String> = []
        var family = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                family = String(line.split(separator: " ")[2])
                #expect(seen.insert(family).inserted, "\(family)")
            } else if !line.hasPrefix("#") {
                #expect(line.hasPrefix(family), "\(line)")
            }
        }
    }
}
