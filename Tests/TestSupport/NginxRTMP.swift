import Foundation

/// A real nginx with its RTMP module: the platform to which streams are published. Ends with its stage.
package final class NginxRTMP: Sendable {
    /// One attempt of a client to publish, read from nginx's own logs.
    package struct Publish: Sendable, Hashable {
        /// nginx's number of the connection; another one for each attempt.
        package let connection: Int
        package let app: String
        /// The stream name, which is the stream key on platforms.
        package let name: String
        /// False if nginx rejected it: the key was wrong, or the name was already being published.
        package let isAccepted: Bool
        /// Whether the connection has ended.
        package let hasEnded: Bool
        /// Whether the client sent deleteStream before the connection ended.
        package let endedOrderly: Bool
    }

    package let port: Int
    /// The port of nginx's HTTP: `/stat`, `/control`, and the callback that checks keys.
    package let httpPort: Int
    /// `rtmp://127.0.0.1:PORT/live`.
    package let url: String
    private let stage: Stage
    private let program: SharedValue<TestProcess>
    private let base: String

    fileprivate init(stage: Stage, port: Int, httpPort: Int, base: String, program: TestProcess) {
        self.stage = stage
        self.port = port
        self.httpPort = httpPort
        self.base = base
        self.program = SharedValue(program)
        url = "rtmp://127.0.0.1:\(port)/live"
    }

    package func url(_ name: String) -> String { "\(url)/\(name)" }

    // MARK: Publishes and recordings

    /// Every attempt to publish, in order, including those before a `restart`.
    package func publishes() throws -> [Publish] {
        let lines = try stage.folder.text("\(base)/error.log").split(separator: "\n")
        let calls = (try? stage.folder.text("\(base)/http.log")) ?? ""
        var refused = Set<String>()
        for call in calls.split(separator: "\n") {
            if let found = call.firstMatch(of: /process=(\d+) client=(\d+) status=403/) {
                refused.insert("\(found.1)*\(found.2)")
            }
        }
        struct Client {
            var app = ""
            var open = true
            var orderly = false
            var publish: (order: Int, connection: Int, name: String)?
            var accepted = true
        }
        var clients: [String: Client] = [:]
        for (order, line) in lines.enumerated() {
            guard let head = line.firstMatch(of: /\] (\d+)#\d+: \*(\d+) (.*)/) else { continue }
            let id = "\(head.1)*\(head.2)"
            let text = head.3
            var client = clients[id] ?? Client()
            if let found = text.firstMatch(of: /^connect: app='([^']*)'/) {
                client.app = String(found.1)
            } else if let found = text.firstMatch(of: /^publish: name='([^']*)'/) {
                client.publish = (order, Int(head.2) ?? 0, String(found.1))
            } else if text.contains("already publishing") {
                client.accepted = false
            } else if text.hasPrefix("deleteStream"), client.open {
                client.orderly = true
            } else if text.hasPrefix("disconnect") {
                client.open = false
            }
            clients[id] = client
        }
        return clients.compactMap { id, client in
            client.publish.map { publish in
                (
                    publish.order,
                    Publish(
                        connection: publish.connection, app: client.app, name: publish.name,
                        isAccepted: client.accepted && !refused.contains(id),
                        hasEnded: !client.open, endedOrderly: client.orderly)
                )
            }
        }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    package func publishes(of name: String) throws -> [Publish] {
        try publishes().filter { $0.name == name }
    }

    /// Waits until so many attempts satisfy `isWanted`.
    @discardableResult
    package func waitForPublishes(
        _ count: Int = 1, of name: String, within limit: Duration = .seconds(40),
        file: String = #fileID, line: Int = #line,
        where isWanted: (Publish) -> Bool = { $0.isAccepted }
    ) async throws -> [Publish] {
        try await eventually(
            "\(count) publishes of \(name)", within: limit, every: .milliseconds(50), file: file,
            line: line
        ) {
            let found = try publishes(of: name).filter(isWanted)
            return found.count >= count ? found : nil
        }
    }

    /// The recorded files, oldest first. A name that was published several times has several files, unless it was
    /// within one second: then the second publish continues the file of the first.
    package func recordings(of name: String? = nil) -> [String] {
        stage.folder.names(in: "\(base)/rec")
            .filter { file in name.map { file.hasPrefix("\($0)-") } ?? true }
            .sorted { ($0.split(separator: "-").last ?? "") < ($1.split(separator: "-").last ?? "") }
            .map { stage.folder.path("\(base)/rec/\($0)") }
    }

    /// The first recorded file of a name.
    package func recording(of name: String) throws -> String {
        guard let first = recordings(of: name).first else {
            throw Failed("nginx recorded nothing of '\(name)'; its errors: \(errors)")
        }
        return first
    }

    /// Reads nginx-rtmp's statistics, as XML.
    package func stat() async throws -> String { try await HTTP.get(port: httpPort, "/stat") }

    package var errors: String { (try? stage.folder.text("\(base)/error.log")) ?? "" }

    /// The process, for its pid and signals; another one after `restart`.
    package var process: TestProcess { program.value }

    // MARK: Faults

    /// Rejects every publish under this name from now on.
    package func refuse(_ name: String) throws { try stage.folder.write("\(base)/refuse/\(name)", "") }

    /// Undoes `refuse`.
    package func allow(_ name: String) throws {
        try FileManager.default.removeItem(atPath: stage.folder.path("\(base)/refuse/\(name)"))
    }

    /// Closes the connection of the publisher of this name.
    package func dropPublisher(_ name: String) async throws {
        _ = try await HTTP.get(port: httpPort, "/control/drop/publisher?app=live&name=\(name)")
    }

    /// Stops the process: connections stay open, and nothing is read.
    package func freeze() { process.send(SIGSTOP) }

    package func thaw() { process.send(SIGCONT) }

    /// Kills the process. Its port refuses connections until `restart`.
    package func kill() async { await stage.end(process) }

    /// Starts nginx again on the same port, with its recordings and logs.
    package func restart() async throws {
        await stage.end(process)
        program.value = try await Self.launch(stage, base: base, port: port, httpPort: httpPort)
    }

    fileprivate static func launch(
        _ stage: Stage, base: String, port: Int, httpPort: Int
    ) async throws -> TestProcess {
        let folder = stage.folder.path(base)
        let program = try await stage.program("nginx", ["-p", folder, "-c", "\(folder)/nginx.conf"])
        try await eventually("nginx to listen on \(port)", every: .milliseconds(10)) {
            if let ending = program.ending {
                throw Failed("nginx \(ending): \(program.errors.text)")
            }
            return FreePort.isListening(tcp: port) && FreePort.isListening(tcp: httpPort)
        }
        return program
    }
}

extension Stage {
    /// Starts nginx with an application `live` on 127.0.0.1.
    ///
    /// - Parameters:
    ///   - record: Whether to record publishes as FLV files, see `NginxRTMP.recordings`.
    ///   - chunk: The RTMP chunk size in bytes.
    package func nginx(record: Bool = false, chunk: Int = 4096) async throws -> NginxRTMP {
        let port = try FreePort.tcp()
        let httpPort = try FreePort.tcp()
        let base = "nginx-\(port)"
        let folder = try self.folder.makeFolder(base)
        try self.folder.makeFolder("\(base)/rec")
        try self.folder.makeFolder("\(base)/refuse")
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: "\n            ")
        // Within one second record_unique makes the same name again, and record_append keeps the contents.
        let recording =
            record
            ? "record all; record_path \(folder)/rec; record_unique on; record_append on;"
            : "record off;"
        try self.folder.write(
            "\(base)/nginx.conf",
            """
            daemon off;
            master_process off;
            pid \(folder)/nginx.pid;
            error_log \(folder)/error.log info;
            load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
            events { worker_connections 256; }
            rtmp {
              access_log \(folder)/rtmp.log;
              server {
                listen 127.0.0.1:\(port);
                chunk_size \(chunk);
                application live {
                  live on;
                  notify_method get;
                  on_publish http://127.0.0.1:\(httpPort)/publish;
                  \(recording)
                }
              }
            }
            http {
              log_format calls 'process=$pid client=$arg_clientid status=$status $request';
              access_log \(folder)/http.log calls;
              \(temporary)
              server {
                listen 127.0.0.1:\(httpPort);
                location = /publish {
                  if (-f \(folder)/refuse/$arg_name) { return 403; }
                  return 204;
                }
                location = /stat { rtmp_stat all; }
                location /control { rtmp_control all; }
              }
            }
            """)
        let program = try await NginxRTMP.launch(self, base: base, port: port, httpPort: httpPort)
        return NginxRTMP(stage: self, port: port, httpPort: httpPort, base: base, program: program)
    }
}
