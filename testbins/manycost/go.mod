module example.com/manycost

go 1.24
