import ArgumentParser
import BoxConfiguration
import Glibc
import Logging
import Redaction
import ServiceManager

/// Runs the service in the foreground.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the service in the foreground until SIGINT or SIGTERM; SIGHUP reloads its configuration.",
        discussion: """
            Without --config: $STREAMBOX_CONFIG, else /etc/streambox/streambox.yaml, else a demonstration that listens \
            for RTMP on 127.0.0.1:1935, shows a test picture while no source delivers, and records to \(Demo.folder).
            """)

    @Option(help: "The configuration file.")
    var config: String?

    @Option(help: "The lowest level to log.")
    var logLevel: LogLevel = .info

    @OptionGroup(visibility: .hidden)
    var testOptions: TestOptions

    func run() async throws {
        ProcessLimits.forbidCores()
        ProcessLimits.allowDescriptors()
        let environment = processEnvironment()
        StartPace.keep(environment: environment)
        let file = try LoadedConfiguration(config, environment: environment)
        let secrets = SecretBook()
        secrets.learn(file.configuration.secretValues(environment: environment))
        let log = LogOutput(
            STDERR_FILENO, isJournal: Journal.reads(STDERR_FILENO, environment: environment), secrets: secrets)
        defer { log.finish() }
        var logger = Logger(label: "streambox") { _ in LogfmtHandler(log) }
        logger.logLevel = logLevel.level

        let state = StateFiles(file.configuration, environment: environment)
        let known = state.ffmpeg.read()
        let ffmpeg = try await InstalledFFmpeg.find(file.configuration, environment: environment, known: known)
        let paths = try ServicePaths.create(file.configuration, environment: environment)
        defer { paths.remove() }
        let assembly = ServiceAssembly(
            ServiceInputs(
                path: config, file: file, environment: environment, paths: paths, state: state, known: known,
                ffmpeg: ffmpeg, testHooks: testOptions.hooks, secrets: secrets, logger: logger))
        try await assembly.run()
        logger.notice("stopped")
    }
}
