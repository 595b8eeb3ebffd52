import Foundation

/// A real prometheus-node-exporter on 127.0.0.1, with only its textfile collector. Ends with its stage.
package struct NodeExporter: Sendable {
    package let port: Int
    package let program: TestProcess

    /// Scrapes the metrics, as Prometheus does.
    package func scrape() async throws -> String { try await HTTP.get(port: port, "/metrics") }
}

extension Stage {
    /// Starts the exporter, and waits until it listens.
    ///
    /// - Parameter folder: The folder whose `*.prom` files it reads.
    package func nodeExporter(folder: String) async throws -> NodeExporter {
        let port = try FreePort.tcp()
        let program = try await program(
            "prometheus-node-exporter",
            [
                // The exporter's own process metrics have the same names as the service's.
                "--web.disable-exporter-metrics", "--collector.disable-defaults", "--collector.textfile",
                "--collector.textfile.directory=\(folder)",
                "--web.listen-address=127.0.0.1:\(port)",
            ])
        try await eventually("node_exporter to listen on \(port)", every: .milliseconds(20)) {
            if let ending = program.ending { throw Failed("node_exporter \(ending): \(program.errors.text)") }
            return FreePort.isListening(tcp: port)
        }
        return NodeExporter(port: port, program: program)
    }
}
