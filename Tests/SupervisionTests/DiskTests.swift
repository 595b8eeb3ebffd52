import BoxConfiguration
import FFmpeg
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Supervision

/// The files of the service on disks that may hang.
@Suite struct DiskTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// For children that answer, which may take a while on a busy machine.
    private static let patient = OwnProgram.Patience(usual: .seconds(600), longest: .seconds(600))

    /// A disk whose children run this script.
    private func disk(_ script: String, patience: OwnProgram.Patience = Self.patient) throws -> Disk {
        let path = try folder.write("program", "#!/bin/sh\n\(script)\n", mode: 0o700)
        let program = OwnProgram(path: path, capabilities: .complete("5.1.6"), environment: [:])
        return Disk(program, patience: patience, logger: ServiceContext.silent)
    }

    /// A disk whose children do nothing and do not end.
    private func hanging() throws -> Disk {
        try disk("exec /bin/sleep 1000", patience: .init(usual: .milliseconds(100), longest: .milliseconds(100)))
    }

    /// How a child ended.
    private struct Ending: Equatable {
        var status: CInt
        var answer: String

        init(_ status: CInt, _ answer: String) {
            self.status = status
            self.answer = answer
        }
    }

    /// Does the work of a child in this process.
    private func run(_ task: DiskTask, environment: [String: String] = [:], input: String = "") throws -> Ending {
        let given = try FileDescriptor.open(try folder.write("given", input), .readOnly)
        defer { try? given.close() }
        let answered = try FileDescriptor.open(try folder.write("answer", ""), .writeOnly)
        defer { try? answered.close() }
        let status = task.run(environment: environment, input: given, output: answered)
        return Ending(status, try folder.text("answer"))
    }

    // MARK: The child

    @Test(
        "the arguments of a task are parsed as that task",
        arguments: [
            DiskTask.lookUp(path: "/-a b"), .fetch(path: "/a", most: 8), .store(path: "/a"),
            .slate(folder: "/s", channel: "main", digest: "0f"), .secret(.file("/k"), as: .passphrase),
            .secret(.credential("k"), as: .streamid), .configuration(path: "/c", isOptional: true),
            .configuration(path: "/c", isOptional: false), .fifo(path: "/f"), .publish(path: "/m"),
        ])
    func words(task: DiskTask) {
        #expect(Array(task.arguments.prefix(2)) == ["disk", "--"])
        #expect(DiskTask(Array(task.arguments.dropFirst(2))) == task)
    }

    @Test(
        "words that are not a task give nil",
        arguments: [
            [], ["dance"], ["look"], ["fetch", "/a", "x"], ["secret", "env", "K", "key"],
        ])
    func noTask(words: [String]) {
        #expect(DiskTask(words) == nil)
    }

    @Test("a stored file is complete, in a new folder, and is fetched up to its limit")
    func stored() throws {
        let path = folder.path("a/b/state.json")
        #expect(try run(.store(path: path), input: "one") == Ending(0, ""))
        #expect(try run(.store(path: path), input: "two") == Ending(0, ""))
        #expect(folder.names(in: "a/b") == ["state.json"])
        #expect(try run(.fetch(path: path, most: 3)) == Ending(0, "two"))
        #expect(try run(.fetch(path: path, most: 2)).status == DiskTask.refusal)
        #expect(try run(.fetch(path: folder.path("none"), most: 3)).status == DiskTask.refusal)
        let refused = try run(.store(path: "/proc/none/state.json"))
        #expect(refused.status == DiskTask.refusal)
        #expect(refused.answer.hasPrefix("the service cannot create the folder /proc/none: "))
    }

    @Test("a secret is returned unchanged, and a missing one with its code and the fix")
    func secret() throws {
        let path = try folder.write("key", "hunter2\n", mode: 0o600)
        #expect(try run(.secret(.file(path), as: .key)) == Ending(0, "hunter2"))
        let credentials = ["CREDENTIALS_DIRECTORY": folder.path]
        #expect(try run(.secret(.credential("key"), as: .key), environment: credentials) == Ending(0, "hunter2"))
        chmod(path, 0o644)
        let exposed = try run(.secret(.file(path), as: .key))
        #expect(exposed.status == DiskTask.refusal)
        let sentence = "the secret file \(path) can be read by users other than its owner; run: chmod 600 \(path)"
        #expect(exposed.answer == "exposed \(sentence)")
    }

    @Test("a FIFO is created once, and another file is not taken for one")
    func fifo() throws {
        let path = folder.path("frames")
        #expect(try run(.fifo(path: path)) == Ending(0, ""))
        #expect(try run(.fifo(path: path)) == Ending(0, ""))
        let file = try folder.write("file", "")
        let refused = try run(.fifo(path: file))
        #expect(refused == Ending(DiskTask.refusal, "\(file) is not a FIFO; remove it, or name another path"))
    }

    // MARK: The service

    @Test("a file's contents go to the child's input, never to its arguments")
    func contents() async throws {
        let disk = try disk(#"echo "$*" >"${0%/*}/words"; exec /bin/cat >"${0%/*}/contents""#)
        try await disk.store(Array("s3cret".utf8), to: "/var/lib/x/state.json")
        #expect(try folder.text("words") == "disk -- store /var/lib/x/state.json\n")
        #expect(try folder.text("contents") == "s3cret")
    }

    @Test("writes to one folder follow one another, so that the newest remains")
    func order() async throws {
        let disk = try disk(#"/bin/cat >>"${0%/*}/log"; /bin/sleep 0.05; echo . >>"${0%/*}/log""#)
        let first = Task { try await disk.store(Array("1".utf8), to: "/s/a") }
        try await eventually("the first write") { (try? folder.text("log"))?.hasPrefix("1") == true }
        async let second: Void = disk.store(Array("2".utf8), to: "/s/b")
        try await first.value
        try await second
        #expect(try folder.text("log") == "1.\n2.\n")
    }

    @Test("a disk that does not answer is reported within the limit, for each kind of file")
    func silent() async throws {
        let disk = try hanging()
        let start = ContinuousClock.now
        let error = await #expect(throws: Disk.Failure.self) { try await disk.store([], to: "/s/state.json") }
        #expect(error?.isSilent == true)
        #expect(error?.description == "cannot write /s/state.json, whose disk does not answer")
        let secret = await #expect(throws: SecretError.self) {
            try await disk.secret(.file("/k"), as: .key, environment: [:])
        }
        #expect(secret?.description == "the secret file /k cannot be read from a disk that does not answer")
        let configuration = await #expect(throws: Disk.Failure.self) {
            _ = try await disk.configuration("/c.yaml", isOptional: true, environment: [:])
        }
        #expect(configuration?.isSilent == true)
        #expect(await disk.fetch("/s/slate.ts", most: 10) == nil)
        #expect(await disk.makeFIFO("/f")?.contains("does not answer") == true)
        #expect(await disk.lookUp("/i.png") == .silent)
        // Each of the children would have taken a thousand.
        #expect(ContinuousClock.now - start < .seconds(1000))
    }

    @Test("an operator has an answer within ten seconds, whatever the disk does")
    func limit() {
        // A child that hangs is noticed after a second more, and left to the kernel after one more.
        #expect(Disk.patience.usual + .seconds(2) < .seconds(10))
        // The longer limit is for a child that is working.
        #expect(Disk.patience.longest > Disk.patience.usual)
    }

    @Test("a cancelled task ends its child at once, and does not blame the disk")
    func cancelled() async throws {
        let disk = try disk(#"echo $$ >"${0%/*}/pid"; exec /bin/sleep 1000"#)
        let writing = Task { try await disk.store([], to: "/s/state.json") }
        let pid = try await eventually("the child") {
            (try? folder.text("pid")).flatMap { Int32($0.split(separator: "\n").first ?? "") }
        }
        writing.cancel()
        let error = await #expect(throws: Disk.Failure.self) { try await writing.value }
        #expect(error?.isSilent == false && error?.description.hasSuffix("the service is stopping") == true)
        try await eventually("the child to be gone") { kill(pid, 0) != 0 }
    }

    @Test("a secret is read again each time, and refused in the child's words")
    func secrets() async throws {
        let disk = try disk(#"/bin/cat "${0%/*}/key" 2>/dev/null || { printf 'missing it is not there'; exit 3; }"#)
        let reader = SecretReader(environment: ["K": "from the environment"], disk: disk)
        let error = await #expect(throws: SecretError.self) { try await reader.secret(.file("/k"), as: .key) }
        #expect(error?.code == .missing && error?.description == "it is not there")
        for key in ["one", "two"] {
            try folder.write("key", key)
            let rtmp = RTMPTarget(url: "rtmp://h/a", key: .file("/k"))
            let filled = try await reader.filled(TargetConfiguration(name: "a", destination: .rtmp(rtmp)))
            #expect(filled.destination == .rtmp(RTMPTarget(url: "rtmp://h/a", key: .literal(Secret(key)))))
        }
        #expect(try await reader.secret(.env("K"), as: .key).reveal() == "from the environment")
    }

    @Test("a configuration comes with its notices and secrets, and its mistakes unchanged")
    func configuration() async throws {
        let key = try folder.write("key", "hunter2hunter2", mode: 0o600)
        let yaml = """
            channels:
              - name: main
                tap: true
                sources: [ { rtmp: { listen: "127.0.0.1:1935", key: { file: \(key) } } } ]
            """
        let path = try folder.write("box.yaml", yaml, mode: 0o600)
        let read = try run(.configuration(path: path, isOptional: false))
        #expect(read.status == 0)
        _ = try folder.write("read", read.answer)
        let disk = try disk(#"exec /bin/cat "${0%/*}/read""#)
        let known = try #require(try await disk.configuration(path, isOptional: false, environment: [:]))
        let loaded = try ConfigurationFile.load(path: path)
        #expect(known.file == loaded && known.secrets.contains("hunter2hunter2"))
        _ = try folder.write("box.yaml", "channels: none\n", mode: 0o600)
        let mistaken = try run(.configuration(path: path, isOptional: false))
        #expect(mistaken.status == DiskTask.refusal && mistaken.answer.hasPrefix("\(path):"))
        #expect(try run(.configuration(path: folder.path("none"), isOptional: true)) == Ending(0, ""))
        let missing = try run(.configuration(path: folder.path("none"), isOptional: false))
        #expect(missing.answer.contains("does not exist"))
    }
}
