def show(data):
    return ".".join(map(str, data))
