module example.com/users/test

go 1.19

require example.com/users/users-api v0.0.0

replace example.com/users/users-api => ./users-api
