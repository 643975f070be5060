from django.urls import path

from accounts import api

app_name = "auth"

urlpatterns = [
    path("register", api.Register.as_view(), name="register"),
    path("login", api.LogIn.as_view(), name="login"),
    path("refresh", api.Refresh.as_view(), name="refresh"),
    path("logout", api.LogOut.as_view(), name="logout"),
]
