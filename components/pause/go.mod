module kinstall.local/pause

go 1.26.0
