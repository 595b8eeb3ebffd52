import Foundation
import LabKit
import TestSupport
import Testing

/// `probe` with the real libva on a simulated driver, and with the real V4L2 calls.
@Suite(.tags(.ffmpeg)) struct ProbeLabTests {
    private struct Report: Decodable {
        struct GPU: Decodable {
            var slot: String
            var driver: String
            var deviceID: Int?
            var renderNode: String?
        }
        struct Entry: Decodable {
            var gpu: GPU
            var va: VA?
            var problem: String?
            var problemKind: String?
        }
        struct VA: Decodable {
            struct Encoder: Decodable, Equatable {
                var profile: String
                var entrypoint: String
                var rateControls: [String]
                var mostWidth: Int?
                var mostHeight: Int?
            }
            var driver: String
            var encoders: [Encoder]
            var processesVideo: Bool
        }
        struct Mode: Decodable, Equatable {
            var format: String
            var width: Int
            var height: Int
            var rates: [String]
        }
        struct Capture: Decodable {
            var node: String
            var driver: String?
            var modes: [Mode]?
        }
        struct Board: Decodable, Equatable {
            var node: String
            var driver: String
            var codecs: [String]
        }
        struct Encoder: Decodable {
            var name: String
            var standing: String
            var reason: String?
            var cause: String?
            var scalesOnGPU: Bool?
        }
        func encoder(_ name: String) -> Encoder? { encoders.first { $0.name == name } }
        var gpus: [Entry]
        var encoders: [Encoder]
        var captureDevices: [Capture]
        var v4l2Encoders: [Board]
    }

    private func probe(_ stage: Stage, _ lab: Lab, _ options: String..., environment: [String: String?]? = nil)
        async throws -> Report
    {
        let done = try await stage.command(["probe", "--json"] + options, environment: environment ?? lab.environment)
        guard done.ending == .exited(0) else { throw Failed("probe: \(done.errors)") }
        return try JSONDecoder().decode(Report.self, from: Data(done.output))
    }

    @Test("a VA driver is asked for profiles, entrypoints, rate controls and sizes", arguments: [false, true])
    func driver(isVerbose: Bool) async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            if isVerbose { try lab.limit("talks", 1) }
            let report = try await probe(stage, lab)
            let entry = try #require(report.gpus.first)
            let va = try #require(entry.va, "\(entry.problem ?? "no problem reported")")
            #expect(va.driver == "Lab VA driver" && va.processesVideo && entry.problem == nil)
            let h264 = ["High", "Main", "ConstrainedBaseline"].map {
                Report.VA.Encoder(
                    profile: "VAProfileH264\($0)", entrypoint: "VAEntrypointEncSlice",
                    rateControls: ["CQP", "CBR", "VBR"], mostWidth: 4096, mostHeight: 2304)
            }
            #expect(
                va.encoders == h264 + [
                    .init(
                        profile: "VAProfileHEVCMain", entrypoint: "VAEntrypointEncSliceLP",
                        rateControls: ["CQP", "QVBR"])
                ])
            let encoder = try #require(report.encoder("h264_vaapi@0000:00:02.0"))
            #expect(encoder.standing == "usable" && encoder.scalesOnGPU == true)
        }
    }

    @Test(
        "a VA driver that refuses, crashes or hangs fails only its own trial",
        arguments: [
            (Lab.Fault.busy, "refused", "driver-error"), (.crash, "crashed", "crash"), (.hang, "hung", "driver-error"),
        ])
    func faults(fault: Lab.Fault, kind: String, cause: String) async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try await lab.plug(.amd)
            try lab.fail(.start, fault, on: .intel)
            let report = try await probe(stage, lab)
            let entry = try #require(report.gpus.first)
            #expect(entry.va == nil && entry.problemKind == kind, "\(entry.problem ?? "no problem reported")")
            #expect(entry.problem?.isEmpty == false && report.gpus.last?.va != nil)
            #expect(report.encoder("h264_vaapi@0000:00:02.0")?.cause == cause)
            #expect(report.encoder("h264_vaapi@0000:03:00.0")?.standing == "usable")
            #expect(stage.leftovers.filter { $0.command.contains("probe va") }.isEmpty)
        }
    }

    @Test(
        "a fault of a VA driver is reported by its cause, with a fix",
        arguments: [
            (["Init HW_BUSY"], "driver-error", "its driver reports an error"),
            (["Init OPERATION_FAILED"], "driver-error", "its driver reports an error"),
            (["Limit noencoder=1"], "unsupported", "cannot encode this profile"),
            (["Limit width=320"], "unsupported", "cannot encode frames of this size"),
            (["CreateContext HW_BUSY after=1"], "session-limit", "no further encoding session"),
            (["EndPicture ENCODING_ERROR after=5"], "driver-error", "its driver reports an error"),
            (["SyncBuffer OPERATION_FAILED after=5"], "driver-error", "its driver reports an error"),
            (["EndPicture crash after=5"], "crash", "its driver crashes"),
            (["EndPicture hang after=5"], "driver-error", "it hangs"),
        ])
    func faultTable(lines: [String], cause: String, words: String) async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            for line in lines { try lab.add(line) }
            let encoder = try #require(try await probe(stage, lab).encoder("h264_vaapi@0000:00:02.0"))
            #expect(
                encoder.standing == "failed" && encoder.cause == cause && encoder.reason?.contains(words) == true,
                "\(encoder)")
        }
    }

    @Test("without the VA driver's library the package to install is named")
    func noDriver() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            let environment = lab.environment.merging(["LIBVA_DRIVER_NAME": "nosuch"]) { $1 }
            let encoder = try #require(
                try await probe(stage, lab, environment: environment).encoder("h264_vaapi@0000:00:02.0"))
            #expect(
                encoder.cause == "driver-missing" && encoder.reason?.contains("install intel-media-va-driver") == true,
                "\(encoder)")
        }
    }

    @Test("AV1 encoders of GPUs are listed where FFmpeg has them, and not tried")
    func av1() async throws {
        // FFmpeg 7 and later have them.
        let text = try await TestProcess.run("ffmpeg", ["-v", "error", "-encoders"]).success("the encoders").text
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try await lab.plug(.nvidia)
            let report = try await probe(stage, lab, environment: lab.nvidiaEnvironment)
            let encoders = [("av1_vaapi", "0000:00:02.0"), ("av1_qsv", "0000:00:02.0"), ("av1_nvenc", "0000:01:00.0")]
            for (name, slot) in encoders {
                let standing = report.encoder("\(name)@\(slot)")?.standing
                #expect(standing == (text.contains(" \(name) ") ? "listed" : nil), "\(name)")
            }
        }
    }

    @Test("GPU trials print no warning except that a driver writes headers itself")
    func quiet() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try await lab.plug(.nvidia)
            let messages = stage.folder.path("messages")
            // The service does not pass on the messages of a trial.
            _ = try await stage.ffmpegWrapper(
                """
                case " $* " in
                    *" -c:v h264_vaapi "* | *" -c:v h264_nvenc "*) exec "$real" "$@" 2>>'\(messages)' ;;
                esac
                exec "$real" "$@"
                """)
            let environment = lab.nvidiaEnvironment.merging(["PATH": stage.folder.path + ":/usr/bin:/bin"]) { $1 }
            let report = try await probe(stage, lab, environment: environment)
            for name in ["h264_vaapi@0000:00:02.0", "h264_nvenc@0000:01:00.0"] {
                #expect(report.encoder(name)?.standing == "usable", "\(name)")
            }
            // The simulated VA driver takes no headers from FFmpeg, like some real drivers.
            let lines = try stage.folder.text("messages").split(separator: "\n").filter { line in
                !line.contains("Driver does not support some wanted packed headers")
            }
            #expect(lines.isEmpty, "\(lines)")
        }
    }

    @Test("a GPU without a scaler encodes frames that the CPU has scaled")
    func noScaler() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try lab.limit("noscaler", 1)
            let encoder = try #require(try await probe(stage, lab).encoder("h264_vaapi@0000:00:02.0"))
            #expect(encoder.standing == "usable" && encoder.scalesOnGPU == nil)
        }
    }

    @Test("without trials nothing starts, and no untried encoder is called usable")
    func noTrial() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try lab.fail(.start, .hang)
            let report = try await probe(stage, lab, "--no-trial")
            #expect(report.gpus.first?.va == nil && report.encoder("h264_vaapi@0000:00:02.0")?.standing == "untried")
        }
    }

    @Test(
        "NVIDIA's encoder is tried, and its faults are explained",
        arguments: [
            ("", 0, nil, ""), ("devices", 0, "device-gone", "no longer exists"),
            ("sessions", 0, "session-limit", "no further encoding session"),
            ("version", 160, "driver-missing", "older than this FFmpeg needs"),
            ("width", 320, "unsupported", "cannot encode frames of this size"),
        ] as [(String, Int, String?, String)])
    func nvidiaTrial(limit: String, value: Int, cause: String?, words: String) async throws {
        try await withLab { stage, lab in
            try await lab.plug(.nvidia)
            if !limit.isEmpty { try lab.limitNVIDIA(limit, value) }
            let encoder = try #require(
                try await probe(stage, lab, environment: lab.nvidiaEnvironment).encoder("h264_nvenc@0000:01:00.0"))
            #expect(encoder.standing == (cause == nil ? "usable" : "failed") && encoder.cause == cause)
            #expect(encoder.reason?.contains(words) ?? words.isEmpty, "\(encoder.reason ?? "")")
        }
    }

    @Test("without NVIDIA's libraries the package to install is named", arguments: [false, true])
    func noLibraries(hasCUDA: Bool) async throws {
        try await withLab { stage, lab in
            try await lab.plug(.nvidia)
            var environment = lab.environment
            if hasCUDA {
                let libraries = try stage.folder.makeFolder("libraries")
                let folder = try #require(lab.nvidiaEnvironment["LD_LIBRARY_PATH"] ?? nil)
                try FileManager.default.copyItem(atPath: folder + "/libcuda.so.1", toPath: libraries + "/libcuda.so.1")
                environment["LD_LIBRARY_PATH"] = libraries
            }
            let encoder = try #require(
                try await probe(stage, lab, environment: environment).encoder("h264_nvenc@0000:01:00.0"))
            #expect(
                encoder.cause == "driver-missing" && encoder.reason?.contains("install nvidia-driver") == true,
                "\(encoder.reason ?? "")")
        }
    }

    @Test("a GPU without permission names the group to join, and is not tried")
    func permission() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try await lab.restrict(.intel, to: "video")
            // Root without these capabilities is bound by permissions like any other user.
            let done = try await TestProcess.run(
                "setpriv", Lab.boundByPermissions + [Daemon.path, "probe", "--json"], environment: lab.environment)
            let report = try JSONDecoder().decode(Report.self, from: Data(done.output))
            let encoder = try #require(report.encoder("h264_vaapi@0000:00:02.0"))
            #expect(encoder.standing == "failed" && encoder.cause == "permission")
            #expect(
                encoder.reason == "/dev/dri/renderD128: this user may not open it; add it to the group video",
                "\(encoder.reason ?? "")")
        }
    }

    @Test("an NVIDIA GPU without DRM nodes is found by its slot and has no VA driver")
    func nvidia() async throws {
        try await withLab { stage, lab in
            try await lab.load("box.umockdev")
            try await lab.load("nvidia.umockdev")
            let report = try await probe(stage, lab)
            #expect(report.gpus.map(\.gpu.slot) == ["0000:00:02.0", "0000:01:00.0"])
            let entry = try #require(report.gpus.last)
            #expect(entry.gpu.driver == "nvidia" && entry.gpu.deviceID == 0x1EB0 && entry.gpu.renderNode == nil)
            #expect(entry.va == nil && entry.problem == nil)
        }
    }

    @Test("a capture card lists its modes and a board's encoder its codecs")
    func video() async throws {
        try await withLab { stage, lab in
            try await lab.load("box.umockdev")
            try await lab.load("encoder.umockdev")
            try await lab.tell("video", "/dev/video0", "capture")
            try await lab.tell("video", "/dev/video11", "encoder")
            let report = try await probe(stage, lab)
            #expect(report.captureDevices.map(\.node) == ["/dev/video0"])
            #expect(report.captureDevices.first?.driver == "uvcvideo")
            #expect(
                report.captureDevices.first?.modes == [
                    .init(format: "YUYV", width: 1280, height: 720, rates: ["60", "30"]),
                    .init(format: "YUYV", width: 1920, height: 1080, rates: ["30"]),
                    .init(format: "NV12", width: 1920, height: 1080, rates: ["60"]),
                ])
            #expect(report.v4l2Encoders == [.init(node: "/dev/video11", driver: "bcm2835-codec", codecs: ["h264"])])
            // `plan` sees the devices that the service would find.
            let config = try stage.configuration(
                """
                  - name: main
                    sources: [ { test: {} } ]
                    groups:
                      - name: hd
                        video: { encoder: h264_v4l2m2m }
                        targets: [ { name: t, record: { folder: \(stage.folder.path("rec")) } } ]
                """)
            let plan = try await stage.command(["plan", config], environment: lab.environment)
            #expect(
                plan.text.contains("h264_v4l2m2m: ") && !plan.text.contains("it needs a board"),
                "\(plan.text) \(plan.errors)")
            let text = try await stage.command(["probe"], environment: lab.environment).text
            for line in text.split(separator: "\n") { #expect(line.count <= 80) }
            for words in [
                "YUYV  up to 1920x1080 at 30", "/dev/video11  bcm2835-codec  h264", "Lab VA driver", "serial SN0001",
                "H264High, H264Main", "CQP CBR VBR, up to",
            ] {
                #expect(text.contains(words), "\(text)")
            }
        }
    }

    @Test("two cards that differ only by port are reported, each with its own sound card")
    func alike() async throws {
        try await withLab { stage, lab in
            let left = LabCamera(serial: nil, port: "1-2", number: 0, sound: 1)
            let right = LabCamera(serial: nil, port: "1-3", number: 1, sound: 2)
            try await lab.plug(left)
            try await lab.plug(right)
            let text = try await stage.command(["probe", "--no-trial"], environment: lab.environment).text
            for words in [
                "/dev/video0  uvcvideo  sound hw:1", "/dev/video1  uvcvideo  sound hw:2",
                "path \(left.path), no serial", "! another card looks the same",
            ] {
                #expect(text.contains(words), "\(text)")
            }
            let config = try stage.configuration(
                """
                  - name: main
                    sources:
                      - capture: { model: "0fd9:0066" }
                      - capture: { serial: SN7 }
                      - capture: { path: "\(left.path)", size: 600x400 }
                      - capture: { any: true }
                    groups: [ { name: g, video: copy, audio: copy } ]
                """)
            let check = try await stage.command(["check", config], environment: lab.environment).text
            #expect(
                check.contains(
                    """
                    source capture-0 of main: 2 cards of the model 0fd9:0066 are there, and only their ports \
                    differ
                    """
                ), "\(check)")
            #expect(check.contains("bind by path: \(left.path), \(right.path)"))
            #expect(
                check.contains(
                    """
                    source capture-1 of main: no card with the serial SN7 is there now; plugged in: Cam Link 4K at \
                    \(left.path), 
                    """
                ))
            #expect(
                check.contains(
                    """
                    capture-2 of main: Cam Link 4K does not have the requested mode; the nearest one is used: \
                    yuyv422 320x180 at 30
                    """
                ))
            #expect(
                check.contains(
                    """
                    capture-3 of main: another source uses this card, and a card can have only one source; \
                    plugged in: 
                    """
                ))
        }
    }

    @Test("a card with a node for each input lists a path and sound card for each")
    func inputs() async throws {
        try await withLab { stage, lab in
            let slot = "/devices/pci0000:00/0000:00:1c.0/0000:03:00"
            let nodes = (0...1).map {
                """
                P: \(slot).0/video4linux/video\($0)
                N: video\($0)=00
                E: DEVNAME=/dev/video\($0)
                E: MAJOR=81
                E: MINOR=\($0)
                E: SUBSYSTEM=video4linux
                E: ID_V4L_CAPABILITIES=:capture:
                E: ID_PATH=pci-0000:03:00.0
                A: index=\($0)
                A: name=Quad HDMI

                P: \(slot).1/sound/card\($0 + 3)
                E: SUBSYSTEM=sound
                A: number=\($0 + 3)

                P: \(slot).1/sound/card\($0 + 3)/pcmC\($0 + 3)D2c
                E: SUBSYSTEM=sound

                """
            }
            let more = """
                P: \(slot).0
                E: SUBSYSTEM=pci
                L: driver=../../../../bus/pci/drivers/quad

                P: \(slot).1
                E: SUBSYSTEM=pci

                P: \(slot).0/video4linux/video2
                N: video2=00
                E: DEVNAME=/dev/video2
                E: MAJOR=81
                E: MINOR=2
                E: SUBSYSTEM=video4linux
                E: ID_V4L_CAPABILITIES=:
                E: ID_PATH=pci-0000:03:00.0
                A: index=2

                """
            try await lab.tell(
                "load", try stage.folder.write("quad.umockdev", ([more] + nodes).joined(separator: "\n")))
            let text = try await stage.command(["probe", "--no-trial"], environment: lab.environment).text
            for words in [
                "/dev/video0  quad  sound hw:3,2", "path pci-0000:03:00.0, no serial",
                "/dev/video1  quad  sound hw:4,2", "path pci-0000:03:00.0-video-index1",
            ] {
                #expect(text.contains(words), "\(text)")
            }
            #expect(!text.contains("/dev/video2"))
        }
    }
}
