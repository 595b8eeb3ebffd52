import BoxConfiguration
import CapabilityProbe
import EncoderSelection
import FFmpeg
import MediaTypes
import Testing

/// Which encoders rest, which are tried, and which groups move, on a test clock.
@Suite struct EncoderPoolTests {
    private static let intel = GPU(slot: "0000:00:02.0", driver: "i915", renderNode: "/dev/dri/renderD128")
    private static let amd = GPU(slot: "0000:03:00.0", driver: "amdgpu", renderNode: "/dev/dri/renderD129")
    private static let onIntel = EncoderCandidate("h264_vaapi", gpu: intel.slot)
    private static let onAMD = EncoderCandidate("h264_vaapi", gpu: amd.slot)
    private static let software = EncoderCandidate.software(.h264)

    /// A pool on a test clock, with groups that follow its effects at once.
    private final class Bench {
        private(set) var pool: EncoderPool
        private(set) var now = Duration.zero
        /// The encoder that each group uses.
        private(set) var uses: [String: EncoderCandidate] = [:]
        private(set) var moves: [(group: String, move: EncoderPool.Move)] = []
        /// Trials that were requested and have no result yet.
        private(set) var open: [Trial] = []
        /// Candidates whose trials fail. All others pass.
        var broken: [EncoderCandidate: FailureCause] = [:]
        /// Whether the GPUs scale too.
        var scales = false
        /// The number of trials of each candidate.
        private(set) var attempts: [EncoderCandidate: Int] = [:]
        private var last: [String: EncoderCandidate]

        init(_ gpus: [GPU], order: [EncoderFamily] = [.vaapi, .software], last: [String: EncoderCandidate] = [:]) {
            pool = EncoderPool(EncoderCatalogue(listed: Set(EncoderName.all.map(\.name)), gpus: gpus), order: order)
            self.last = last
        }

        func add(
            _ name: String, _ encoding: VideoEncoding = VideoEncoding(), arriving: FrameSize? = nil, starts: Bool = true
        ) {
            apply(
                pool.setEncoding(
                    encoding, job: EncodingJob(encoding, arriving: arriving), for: name, lastUsed: last[name], now: now)
            )
            if starts { uses[name] = pool.assignEncoder(to: name).candidate }
        }

        /// Gives every trial its result, and those that follow, until none is open.
        func answer() {
            while !open.isEmpty { answerOne() }
        }

        func answerOne() {
            let trial = open.removeFirst()
            attempts[trial.candidate, default: 0] += 1
            let result: TrialResult =
                broken[trial.candidate].map { .failed($0, "it is broken") } ?? .passed(scalesOnGPU: scales)
            apply(pool.trialFinished(trial, result, now: now))
        }

        /// Fails an encoder in use. Its group continues with its next assignment.
        func fail(_ name: String, _ fault: EncoderFault) {
            guard let candidate = uses[name] else { return }
            apply(pool.recordFailure(of: candidate, fault, in: name, now: now))
            uses[name] = pool.assignEncoder(to: name).candidate
        }

        func plug(_ gpus: [GPU]) { apply(pool.setDevices(gpus, v4l2Encoders: [], now: now)) }
        func wedge(_ gpu: GPU) { apply(pool.recordWedge(of: gpu.slot, recovery: "rebind", now: now)) }
        func order(_ order: [EncoderFamily]) { apply(pool.setOrder(order, now: now)) }

        /// Lets time pass. Trials that become due get their results.
        func wait(_ span: Duration) {
            let end = now + span
            while let next = pool.nextTick(after: now), next <= end {
                now = next
                apply(pool.tick(now: now))
                answer()
            }
            now = end
        }

        private func apply(_ effects: [EncoderPool.Effect]) {
            for effect in effects {
                switch effect {
                case .runTrial(let trial): open.append(trial)
                case .move(let name, let move):
                    guard uses[name] != nil else { continue }
                    moves.append((name, move))
                    uses[name] = pool.assignEncoder(to: name).candidate
                }
            }
        }

        func state(_ gpu: GPU) -> EncoderPool.Device.State? { pool.devices.first { $0.gpu.slot == gpu.slot }?.state }
    }

    @Test("a group starts with software, and moves once when the best encoder has passed")
    func onAirFirst() {
        let bench = Bench([Self.intel], order: [.qsv, .vaapi, .software])
        bench.add("hd")
        #expect(bench.uses["hd"] == Self.software && !bench.pool.choose(for: "hd").isDegraded)
        bench.answer()
        #expect(bench.uses["hd"] == EncoderCandidate("h264_qsv", gpu: Self.intel.slot))
        #expect(bench.moves.map(\.move) == [.better])
    }

    @Test("a group whose hardware fails its trial is degraded software, with the reason")
    func broken() {
        let bench = Bench([Self.intel])
        bench.broken[Self.onIntel] = .driverMissing
        bench.add("hd")
        bench.answer()
        let choice = bench.pool.choose(for: "hd")
        #expect(
            bench.uses["hd"] == Self.software && choice.isDegraded && choice.reason.contains("it is broken"),
            "\(choice.reason)")
        #expect(bench.moves.isEmpty)
    }

    @Test("the encoder that the group used last is tried first")
    func lastUsed() {
        let bench = Bench([Self.intel, Self.amd], last: ["hd": Self.onAMD])
        bench.add("hd")
        #expect(bench.open.first?.candidate == Self.onAMD)
    }

    @Test("two GPUs share groups by their pixels, and a heavy group has one for itself")
    func sharing() {
        let bench = Bench([Self.intel, Self.amd])
        bench.add("heavy", VideoEncoding(size: FrameSize(width: 3840, height: 2160), frameRate: FrameRate(60)))
        for name in ["a", "b", "c"] {
            bench.add(name, VideoEncoding(size: FrameSize(width: 1280, height: 720), frameRate: FrameRate(30)))
        }
        bench.answer()
        let heavy = bench.uses["heavy"]
        #expect(heavy == Self.onIntel)
        #expect(["a", "b", "c"].allSatisfy { bench.uses[$0] == Self.onAMD }, "\(bench.uses)")
    }

    @Test(
        "a device that fails rests while its group uses another, and is used again later",
        arguments: [EncoderFault.deviceGone, .driverError, .hang, .driverMissing, .permission])
    func deviceFault(fault: EncoderFault) {
        let bench = Bench([Self.intel])
        bench.add("hd")
        bench.answer()
        bench.fail("hd", fault)
        #expect(bench.uses["hd"] == Self.software && bench.state(Self.intel) == .quarantined)
        #expect(bench.pool.choose(for: "hd").isDegraded && bench.pool.choose(for: "hd").reason.contains(fault.sentence))
        bench.wait(.milliseconds(1900))
        #expect(bench.uses["hd"] == Self.software)
        bench.wait(.milliseconds(200))
        #expect(bench.uses["hd"] == Self.onIntel && bench.state(Self.intel) == .ready)
        #expect(bench.moves.map(\.move) == [.better, .better])
    }

    @Test("a fault of one group's device moves the other groups away at once")
    func others() {
        let bench = Bench([Self.intel])
        bench.add("a")
        bench.add("b")
        bench.answer()
        bench.fail("a", .hang)
        #expect(bench.uses == ["a": Self.software, "b": Self.software])
        #expect(bench.moves.last?.group == "b" && bench.moves.last?.move == .hanging)
        let other = Bench([Self.intel])
        other.add("a")
        other.add("b")
        other.answer()
        other.fail("a", .driverError)
        #expect(other.moves.last?.group == "b" && other.moves.last?.move == .failing)
    }

    @Test("groups of a lost GPU move to the other one, and are shared again on its return")
    func lossOfOne() {
        let bench = Bench([Self.intel, Self.amd])
        bench.add("a")
        bench.add("b")
        bench.answer()
        #expect(bench.uses == ["a": Self.onIntel, "b": Self.onAMD])
        bench.plug([Self.amd])
        #expect(bench.uses == ["a": Self.onAMD, "b": Self.onAMD] && bench.state(Self.intel) == .gone)
        #expect(bench.moves.last?.move == .gone && !bench.pool.choose(for: "a").isDegraded)
        var renumbered = Self.intel
        renumbered.renderNode = "/dev/dri/renderD130"
        bench.plug([renumbered, Self.amd])
        bench.answer()
        #expect(Set(bench.uses.values) == [Self.onIntel, Self.onAMD] && bench.state(Self.intel) == .ready)
        #expect(
            bench.pool.recipe(for: Self.onIntel, in: "a")?.deviceOptions == ["-vaapi_device", "/dev/dri/renderD130"])
    }

    @Test("a GPU whose nodes come and go one by one is gone until it has all of them")
    func inSteps() {
        let bench = Bench([Self.intel])
        bench.add("hd")
        bench.answer()
        var half = Self.intel
        (half.renderNode, half.cardNode) = (nil, "/dev/dri/card0")
        for gpus in [[half], [], [half]] {
            bench.plug(gpus)
            #expect(
                bench.state(Self.intel) == .gone && bench.uses["hd"] == Self.software
                    && bench.pool.devices[0].reason != nil)
        }
        bench.plug([Self.intel])
        bench.answer()
        #expect(bench.state(Self.intel) == .ready && bench.uses["hd"] == Self.onIntel)
        #expect(bench.moves.map(\.move) == [.better, .gone, .better])
    }

    @Test("the only GPU, if unplugged, is degraded and gone, and not forgotten")
    func pulled() {
        let bench = Bench([Self.intel])
        bench.add("hd")
        bench.answer()
        bench.plug([])
        let choice = bench.pool.choose(for: "hd")
        #expect(
            bench.uses["hd"] == Self.software && choice.isDegraded && choice.reason.contains("its GPU is gone"),
            "\(choice.reason)")
        #expect(bench.pool.recipe(for: Self.onIntel, in: "hd") == nil && bench.pool.nextTick(after: bench.now) == nil)
    }

    @Test("a GPU that the kernel could not recover is left at once, and tried again later")
    func wedged() {
        let bench = Bench([Self.intel])
        bench.add("hd")
        bench.answer()
        bench.broken[Self.onIntel] = .driverError
        bench.wedge(Self.intel)
        #expect(bench.uses["hd"] == Self.software && bench.moves.last?.move == .failing)
        bench.wait(.seconds(30))
        #expect(bench.state(Self.intel) == .quarantined)
        bench.broken = [:]
        bench.wait(.seconds(60))
        #expect(bench.uses["hd"] == Self.onIntel)
    }

    @Test("pauses before a device is tried again double up to five minutes")
    func pauses() {
        let bench = Bench([Self.intel])
        bench.add("hd")
        bench.answer()
        bench.broken[Self.onIntel] = .driverError
        bench.fail("hd", .driverError)
        let start = bench.now
        var times: [Int64] = []
        while times.count < 10, let next = bench.pool.nextTick(after: bench.now) {
            times.append((next - start).components.seconds)
            bench.wait(next - bench.now)
        }
        #expect(times == [2, 6, 14, 30, 62, 126, 254, 510, 810, 1110])
    }

    @Test("three failures in ten minutes lead to the longest pause, even after replugging")
    func notorious() {
        let bench = Bench([Self.intel])
        bench.add("hd")
        bench.answer()
        for _ in 0..<3 {
            bench.wait(.seconds(20))
            #expect(bench.uses["hd"] == Self.onIntel)
            bench.fail("hd", .driverError)
        }
        bench.wait(.seconds(100))
        #expect(bench.uses["hd"] == Self.software)
        bench.plug([])
        bench.plug([Self.intel])
        bench.answer()
        #expect(bench.uses["hd"] == Self.software)
        bench.wait(.seconds(210))
        #expect(bench.uses["hd"] == Self.onIntel)
    }

    @Test("a failure that every group on the device reports counts once")
    func reportedByAll() {
        let bench = Bench([Self.intel])
        for name in ["a", "b", "c", "d"] { bench.add(name) }
        bench.answer()
        var pool = bench.pool
        for (name, fault) in [("a", EncoderFault.driverError), ("b", .driverError), ("c", .hang), ("d", .deviceGone)] {
            _ = pool.recordFailure(of: Self.onIntel, fault, in: name, now: bench.now)
        }
        #expect(pool.nextTick(after: bench.now) == bench.now + RestPolicy.first)
        #expect(pool.devices.map(\.reason) == [EncoderFault.driverError.sentence])
    }

    @Test("three removals in use within ten minutes lead to the longest pause")
    func looseContact() {
        let bench = Bench([Self.intel])
        bench.add("hd")
        bench.answer()
        for _ in 0..<3 {
            bench.wait(.seconds(20))
            #expect(bench.uses["hd"] == Self.onIntel)
            bench.plug([])
            bench.plug([Self.intel])
            bench.answer()
        }
        #expect(bench.uses["hd"] == Self.software)
        bench.wait(.seconds(310))
        #expect(bench.uses["hd"] == Self.onIntel)
    }

    @Test("a trial that began before its device failed has no effect")
    func outdated() {
        let bench = Bench([Self.intel])
        bench.add("a")
        bench.answer()
        bench.add("b", VideoEncoding(bitrate: Bitrate(bitsPerSecond: 1_000_000)))
        #expect(bench.open.count == 1)
        bench.fail("a", .driverError)
        bench.answer()
        #expect(bench.uses["a"] == Self.software && bench.state(Self.intel) == .quarantined)
        bench.wait(.seconds(3))
        #expect(bench.uses["a"] == Self.onIntel && bench.uses["b"] == Self.onIntel)
    }

    @Test("a rest without a trial ends with its pause; a GPU without a group has no trouble")
    func unused() {
        var forbidden = Self.amd
        forbidden.accessProblem = "it is forbidden"
        let bench = Bench([Self.intel, forbidden])
        bench.add("hd")
        bench.answer()
        #expect(bench.pool.devices.map(\.reason) == [nil, "it is forbidden"])
        bench.fail("hd", .driverError)
        bench.order([.software])
        #expect(bench.pool.devices.map(\.reason) == [nil, nil])
        bench.wait(.seconds(5))
        #expect(bench.state(Self.intel) == .ready)
    }

    @Test("a session limit affects one group only, which retries with growing pauses")
    func sessionLimit() {
        let bench = Bench([Self.intel])
        for name in ["a", "b", "c"] { bench.add(name) }
        bench.answer()
        bench.fail("c", .sessionLimit)
        #expect(
            bench.uses == ["a": Self.onIntel, "b": Self.onIntel, "c": Self.software]
                && bench.state(Self.intel) == .ready)
        #expect(bench.pool.choose(for: "c").isDegraded)
        bench.broken[Self.onIntel] = .sessionLimit
        bench.wait(.seconds(10))
        #expect(bench.uses["a"] == Self.onIntel && bench.uses["c"] == Self.software, "\(bench.uses)")
        bench.broken = [:]
        bench.wait(.seconds(60))
        #expect(bench.uses["c"] == Self.onIntel)
    }

    @Test("an unsupported job is not tried again until the group has other settings")
    func unsupported() {
        let bench = Bench([Self.intel])
        bench.broken[Self.onIntel] = .unsupported
        let large = VideoEncoding(size: FrameSize(width: 7680, height: 4320))
        bench.add("hd", large)
        bench.answer()
        bench.wait(.seconds(3600))
        #expect(bench.uses["hd"] == Self.software && bench.attempts[Self.onIntel] == 1)
        bench.broken = [:]
        bench.add("hd", VideoEncoding(size: FrameSize(width: 1280, height: 720)), starts: false)
        bench.answer()
        #expect(bench.uses["hd"] == Self.onIntel)
    }

    @Test("a crash leads to the same encoder once, and to the next one after another crash")
    func crash() {
        let bench = Bench([Self.intel])
        bench.add("hd")
        bench.answer()
        bench.fail("hd", .crash)
        #expect(bench.uses["hd"] == Self.onIntel)
        bench.wait(.seconds(10))
        bench.fail("hd", .crash)
        #expect(bench.uses["hd"] == Self.software && bench.state(Self.intel) == .ready)
    }

    @Test("an encoder that passed one job is used for another while that is tried")
    func carriedOver() {
        let bench = Bench([Self.intel])
        bench.add("hd")
        bench.answer()
        bench.add("hd", VideoEncoding(bitrate: Bitrate(bitsPerSecond: 1_000_000)), starts: false)
        #expect(bench.open.count == 1 && bench.pool.choose(for: "hd").candidate == Self.onIntel)
        bench.broken[Self.onIntel] = .unsupported
        bench.answer()
        #expect(bench.uses["hd"] == Self.software)
    }

    @Test("a GPU that scales one size is used for another while that is tried")
    func scaling() {
        let bench = Bench([Self.intel])
        let encoding = VideoEncoding(size: FrameSize(width: 640, height: 360))
        let scales = { bench.pool.recipe(for: Self.onIntel, in: "hd")?.scales }
        bench.scales = true
        bench.add("hd", encoding, arriving: FrameSize(width: 1280, height: 720))
        #expect(scales() == false)
        bench.answer()
        #expect(scales() == true)
        bench.add("hd", encoding, arriving: FrameSize(width: 1920, height: 1080), starts: false)
        #expect(bench.open.count == 1 && scales() == true)
        bench.scales = false
        bench.answer()
        #expect(scales() == false)
        bench.add("hd", encoding, arriving: FrameSize(width: 640, height: 360), starts: false)
        #expect(scales() == false)
    }

    @Test("the operator's encoder stays until it fails")
    func pinned() {
        let bench = Bench([Self.intel])
        bench.add("hd")
        bench.answer()
        var pool = bench.pool
        pool.pin(Self.software, to: "hd")
        #expect(pool.assignEncoder(to: "hd").candidate == Self.software)
        _ = pool.setDevices([Self.intel, Self.amd], v4l2Encoders: [], now: bench.now)
        #expect(pool.choose(for: "hd").candidate == Self.software)
        pool.pin(nil, to: "hd")
        #expect(pool.choose(for: "hd").candidate == Self.onIntel)
    }

    @Test("another order moves the groups that it affects")
    func reordered() {
        let bench = Bench([Self.intel])
        bench.add("hd")
        bench.answer()
        bench.order([.software, .vaapi])
        #expect(bench.uses["hd"] == Self.software)
        bench.order([.vaapi])
        #expect(bench.uses["hd"] == Self.onIntel)
    }

    @Test("at most two trials run at a time, and one for each device")
    func bounded() {
        let bench = Bench([Self.intel, Self.amd], order: [.qsv, .vaapi, .software])
        bench.add("a")
        bench.add("b", VideoEncoding(codec: .hevc))
        while !bench.open.isEmpty {
            #expect(bench.open.count <= 2 && Set(bench.open.map(\.candidate.device)).count == bench.open.count)
            bench.answerOne()
        }
        #expect(bench.uses["a"]?.isSoftware == false && bench.uses["b"]?.isSoftware == false)
    }

    @Test("a candidate that this user may not open is not tried, and says what to do")
    func permission() {
        var gpu = Self.intel
        gpu.accessProblem = "/dev/dri/renderD128: this user may not open it; add it to the group render"
        let bench = Bench([gpu])
        bench.add("hd")
        #expect(bench.open.isEmpty && bench.pool.choose(for: "hd").isDegraded)
        #expect(bench.pool.choose(for: "hd").reason.contains("add it to the group render"))
        bench.plug([Self.intel])
        bench.answer()
        #expect(bench.uses["hd"] == Self.onIntel)
    }
}
