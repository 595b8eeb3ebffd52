import CapabilityProbe
import Glibc

/// Prints a line for each hotplug event of the capability probe. The tests run it in the lab.
@main
struct HotplugWatch {
    static func main() async {
        var events = Hotplug().makeAsyncIterator()
        printLine("watching")
        while let event = await events.next() {
            printLine(
                "\(event.action) \(event.subsystem) \(event.path) \(event.node ?? "-") \(event.wedgeRecovery ?? "-")")
        }
    }

    private static func printLine(_ line: String) {
        var line = line + "\n"
        line.withUTF8 { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }
}
