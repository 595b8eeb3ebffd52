import CapabilityProbe
import Glibc

/// What the capability probe says of devices that come and go, a line each. To be run in the lab.
@main
struct HotplugWatch {
    static func main() async {
        var events = Hotplug().makeAsyncIterator()
        say("watching")
        while let event = await events.next() {
            say("\(event.action) \(event.subsystem) \(event.path) \(event.node ?? "-") \(event.wedged ?? "-")")
        }
    }

    private static func say(_ line: String) {
        var line = line + "\n"
        line.withUTF8 { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }
}
