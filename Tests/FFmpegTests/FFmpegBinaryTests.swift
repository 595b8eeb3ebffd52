import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FFmpeg

@Suite(.serialized, .tags(.ffmpeg)) struct FFmpegBinaryTests {
    @Test("the first ffmpeg on the PATH is found, and its encoders are listed")
    func found() async throws {
        let binary = try await ffmpeg()
        #expect(binary.version.isSupported)
        let encoders = try await FFmpegBinary.locate(nil, environment: testEnvironment, limit: Limit.seconds(60)).binary
            .capabilities.encoders
        #expect(encoders.isSuperset(of: ["libx264", "aac"]))
        #expect(!encoders.contains("="))
    }

    @Test("stored knowledge is used while the program is unchanged, and never for a script")
    func remembered() async throws {
        let scratch = Scratch()
        let path = scratch.file("ffmpeg")
        try write(contents(try await ffmpeg().path), to: path)
        try #require(chmod(path, 0o700) == 0)
        let first = try await FFmpegBinary.locate(path, environment: testEnvironment, limit: Limit.seconds(60))
        let knowledge = try #require(first.knowledge)
        // A value that the program would not report.
        let marked = FFmpegKnowledge(capabilities: .release("99.1"), files: knowledge.files)
        let again = try await FFmpegBinary.locate(path, environment: testEnvironment, known: marked)
        #expect(again.binary == FFmpegBinary(path: path, capabilities: .release("99.1")))

        #expect(utimes(path, nil) == 0)
        let touched = try await FFmpegBinary.locate(
            path, environment: testEnvironment, known: marked, limit: Limit.seconds(60))
        #expect(touched.binary == first.binary && touched.knowledge != knowledge)

        let script = scratch.file("script")
        try write("#!/bin/sh\nexec '\(path)' \"$@\"\n", to: script, mode: [.ownerReadWriteExecute])
        #expect(
            try await FFmpegBinary.locate(script, environment: testEnvironment, limit: Limit.seconds(60)).knowledge
                == nil)
    }

    @Test("a missing, a non-executable and an unlisted program have different errors")
    func missing() async throws {
        let scratch = Scratch()
        await #expect(throws: FFmpegBinaryError.missing(path: "/nonexistent/ffmpeg")) {
            try await FFmpegBinary.locate("/nonexistent/ffmpeg", environment: testEnvironment)
        }
        try write("text", to: scratch.file("ffmpeg"))
        await #expect(throws: FFmpegBinaryError.notExecutable(path: scratch.file("ffmpeg"))) {
            try await FFmpegBinary.locate(scratch.file("ffmpeg"), environment: testEnvironment)
        }
        await #expect(throws: FFmpegBinaryError.notOnPath) {
            try await FFmpegBinary.locate(nil, environment: ["PATH": scratch.path])
        }
    }

    @Test("a build without a number, behind a wrapper that prints a line, is used")
    func unnumbered() async throws {
        let scratch = Scratch()
        let real = try await ffmpeg()
        let wrapper = scratch.file("ffmpeg")
        let script = """
            #!/bin/sh
            case " $* " in *" -version "*)
                echo "using another one"
                echo "ffmpeg version UNKNOWN Copyright"
                exit ;;
            esac
            exec '\(real.path)' "$@"

            """
        try write(script, to: wrapper, mode: [.ownerReadWriteExecute])
        let located = try await FFmpegBinary.locate(wrapper, environment: testEnvironment, limit: Limit.seconds(60))
        let found = located.binary
        #expect(found.version.text == "UNKNOWN" && found.capabilities.encoders == real.capabilities.encoders)
    }

    @Test("another program, an old or a hanging one is refused, and the error names the fix")
    func wrong() async throws {
        let scratch = Scratch()
        func program(_ name: String, _ text: String) throws -> String {
            try write("#!/bin/sh\n" + text, to: scratch.file(name), mode: [.ownerReadWriteExecute])
            return scratch.file(name)
        }
        let other = try program("other", "echo hello\n")
        await #expect(throws: FFmpegBinaryError.notFFmpeg(path: other)) {
            try await FFmpegBinary.locate(other, environment: testEnvironment, limit: Limit.seconds(60))
        }
        let old = try program("old", "echo 'ffmpeg version 4.3.1 Copyright'\n")
        await #expect(throws: FFmpegBinaryError.tooOld(path: old, version: "4.3.1")) {
            try await FFmpegBinary.locate(old, environment: testEnvironment, limit: Limit.seconds(60))
        }
        let hanging = try program("hanging", "sleep 1000 & echo $! > \(scratch.file("pid")); wait\n")
        var started: Int32?
        // On a busy machine it may not have started anything when its time is over. It then gets more.
        for seconds in [1, 10, 60] where started == nil {
            let error = await #expect(throws: FFmpegBinaryError.self) {
                try await FFmpegBinary.locate(hanging, environment: testEnvironment, limit: .seconds(seconds))
            }
            #expect(error == .hung(path: hanging, seconds: seconds))
            #expect(error?.description.contains("apt install ffmpeg") == true)
            let text = String(decoding: (try? contents(scratch.file("pid"))) ?? [], as: UTF8.self)
            started = Int32(text.dropLast())
        }
        let pid = try #require(started)
        try await eventually("the wrapper's child is gone too") {
            // An orphan may stay a zombie where no process reaps it.
            !isAlive(pid) || commandLine(pid).isEmpty
        }
    }
}
