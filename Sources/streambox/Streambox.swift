@main struct Streambox { static func main() {} }
