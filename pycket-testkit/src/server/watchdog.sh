# Runs one server for a test process, whose orders come over stdin, and outlives that process just long
# enough to end the server: the end of stdin is the end of both.
directory=$1
shift
pid=

end() {
    if [ -n "$pid" ]; then
        kill -9 "$pid"
        wait "$pid"
    fi
    pid=
}

while read -r order; do
    case $order in
    start)
        "$@" </dev/null >>"$directory/log" 2>&1 &
        pid=$!
        ;;
    kill) end ;;
    pause) kill -STOP "$pid" ;;
    resume) kill -CONT "$pid" ;;
    esac
    echo "$pid"
done

end
rm -rf "$directory"
